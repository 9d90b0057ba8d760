package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tokenizer of a run as a checkpoint keeps it: the word {@code bytes}, or the files of a
 * Hugging Face tokenizer, held in memory so that they outlive the folder they came from.
 */
public final class TokenizerFiles {
  /** The file without which there is no tokenizer. */
  static final String MAIN = "tokenizer.json";

  private static final List<String> COMPANIONS =
      List.of(TokenizerFiles.CONFIG, "special_tokens_map.json", TokenizerFiles.TEMPLATE);

  private static final String CONFIG = "tokenizer_config.json";
  private static final String TEMPLATE = "chat_template.jinja";

  private final boolean bytes;
  private final Map<String, byte[]> files;

  private TokenizerFiles(boolean bytes, Map<String, byte[]> files) {
    this.bytes = bytes;
    this.files = files;
  }

  /**
   * The tokenizer that {@link Tokenizer#load} gives for this name.
   *
   * @param nameOrPath {@code bytes}, a {@code tokenizer.json} or the folder that holds one
   */
  public static TokenizerFiles of(String nameOrPath) {
    if (nameOrPath.equals(ByteTokenizer.NAME)) {
      return new TokenizerFiles(true, Map.of());
    }
    Path path = Path.of(nameOrPath);
    Path main = Files.isDirectory(path) ? path.resolve(MAIN) : path;
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put(MAIN, content(main));
    for (String name : COMPANIONS) {
      Path companion = main.resolveSibling(name);
      if (Files.isRegularFile(companion)) {
        files.put(name, content(companion));
      }
    }
    return new TokenizerFiles(false, files);
  }

  /** The tokenizer of a checkpoint or of a Hugging Face folder. */
  public static TokenizerFiles in(Path folder) {
    TokenizerFiles tokenizer = of(nameIn(folder));
    Path template = folder.resolve(TEMPLATE);
    return tokenizer.isBytes() && Files.isRegularFile(template)
        ? tokenizer.withChatTemplate(new String(content(template), StandardCharsets.UTF_8))
        : tokenizer;
  }

  /**
   * The same tokenizer with the chat template that a model was trained with, in Jinja; any other
   * goes, so that no program finds the wrong one.
   */
  public TokenizerFiles withChatTemplate(String jinja) {
    Map<String, byte[]> all = new LinkedHashMap<>(files);
    all.put(TEMPLATE, jinja.getBytes(StandardCharsets.UTF_8));
    byte[] config = all.get(CONFIG);
    if (config != null) {
      JsonNode json = Json.parse(config, CONFIG, ErrorCode.FORMAT);
      if (json instanceof ObjectNode fields && fields.has("chat_template")) {
        fields.remove("chat_template");
        all.put(CONFIG, Json.pretty(fields).getBytes(StandardCharsets.UTF_8));
      }
    }
    return new TokenizerFiles(bytes, all);
  }

  /** The same with another file beside its own. */
  public TokenizerFiles with(String name, byte[] content) {
    Map<String, byte[]> all = new LinkedHashMap<>(files);
    all.put(name, content);
    return new TokenizerFiles(bytes, all);
  }

  /** What to give to {@link Tokenizer#load} for the tokenizer of a checkpoint or other folder. */
  public static String nameIn(Path folder) {
    boolean bytes =
        Files.exists(folder.resolve(CheckpointFiles.STATE))
            && StateJson.read(folder).tokenizer().equals(ByteTokenizer.NAME);
    return bytes ? ByteTokenizer.NAME : folder.toString();
  }

  /** Whether a checkpoint or other folder has a tokenizer. */
  public static boolean isIn(Path folder) {
    return nameIn(folder).equals(ByteTokenizer.NAME) || Files.exists(folder.resolve(MAIN));
  }

  /** Whether this is the tokenizer without a file of its own. */
  public boolean isBytes() {
    return bytes;
  }

  /** What {@code state.json} calls it. */
  String name() {
    return isBytes() ? ByteTokenizer.NAME : MAIN;
  }

  /**
   * The files by their names, {@code tokenizer.json} first; for bytes only what stands beside it.
   */
  public Map<String, byte[]> files() {
    return Collections.unmodifiableMap(files);
  }

  private static byte[] content(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read tokenizer " + file + ": " + IoReason.of(e),
          "Give the path of a tokenizer.json, of the folder that holds it, or the word bytes",
          e);
    }
  }
}
