package dev.duoka.train.snapshot;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * All that a run started with: its resolved configuration, the program and its libraries, the
 * machine, the environment, the data's keys, the seeds and where the ranks are. Two starts that
 * have all of it in common have the same snapshot.
 *
 * @param hash SHA-256 of the file that holds it, 64 hexadecimal digits
 * @param content what the file holds
 */
public record RunSnapshot(String hash, ObjectNode content) {
  /** The form of the files; a later one may have other fields. */
  static final int FORMAT = 1;

  /** The resolved run file, as text. */
  static final String CONFIG = "config";

  private static final String FORMAT_NAME = "format";

  /** How many digits of a hash are shown to people. */
  private static final int SHOWN_DIGITS = 12;

  /** A snapshot of a content that is written now. */
  static RunSnapshot of(ObjectNode content) {
    ObjectNode whole = Json.object();
    whole.put(FORMAT_NAME, FORMAT);
    whole.setAll(content);
    return new RunSnapshot(hash(bytes(whole)), whole);
  }

  /**
   * Reads the file of a snapshot.
   *
   * @param hash what the file is named after
   * @throws DuokaException {@code FORMAT} when it does not hold what its name says
   */
  static RunSnapshot parse(byte[] file, String hash, String source) {
    if (!hash(file).equals(hash)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          source + " is damaged: its SHA-256 is not its name",
          "What it held cannot be told; other snapshots of the run are not touched by it");
    }
    if (!(Json.parse(file, source, ErrorCode.FORMAT) instanceof ObjectNode content)) {
      throw new DuokaException(
          ErrorCode.FORMAT, source + " is no snapshot", "Only duoka train writes them");
    }
    return new RunSnapshot(hash, content);
  }

  /** The bytes of its file. */
  byte[] bytes() {
    return bytes(content);
  }

  private static byte[] bytes(ObjectNode content) {
    return Json.pretty(content).getBytes(StandardCharsets.UTF_8);
  }

  static String hash(byte[] bytes) {
    return HexFormat.of().formatHex(Sha256.of(bytes));
  }

  /** The beginning of the hash, for people. */
  public String shortHash() {
    return shortened(hash);
  }

  /** The beginning of a hash, for people. */
  public static String shortened(String hash) {
    return hash.substring(0, Math.min(SHOWN_DIGITS, hash.length()));
  }

  /** The resolved run file, which reads back to the configuration. */
  public String config() {
    return content.path(CONFIG).asString("");
  }

  /** All fields by their dotted paths, those of the configuration under {@code config.}. */
  public SortedMap<String, String> fields() {
    SortedMap<String, String> fields = new TreeMap<>();
    content
        .properties()
        .forEach(
            entry -> {
              if (entry.getKey().equals(CONFIG)) {
                fields.putAll(configFields(config(), "the configuration of " + shortHash()));
              } else if (!entry.getKey().equals(FORMAT_NAME)) {
                flatten(entry.getKey(), entry.getValue(), fields);
              }
            });
    return fields;
  }

  /**
   * The fields of a run file under {@code config.}, whatever version of the program wrote it.
   *
   * @param source what error messages call it
   */
  static SortedMap<String, String> configFields(String yaml, String source) {
    SortedMap<String, String> fields = new TreeMap<>();
    JsonFields root = YamlData.parse(yaml, source);
    root.names()
        .forEach(
            name -> root.node(name).ifPresent(node -> flatten(CONFIG + "." + name, node, fields)));
    return fields;
  }

  static void flatten(String path, JsonNode value, SortedMap<String, String> into) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(entry -> flatten(path + "." + entry.getKey(), entry.getValue(), into));
    } else if (!value.isNull()) {
      into.put(path, value.isString() ? value.asString() : value.toString());
    }
  }
}
