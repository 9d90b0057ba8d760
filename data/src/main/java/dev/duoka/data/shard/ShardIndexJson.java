package dev.duoka.data.shard;

import dev.duoka.data.source.SkipReason;
import dev.duoka.formats.json.Json;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Reads and writes {@code index.json}. */
final class ShardIndexJson {
  /** Part of the key of the cache: older folders are never read by a newer format. */
  static final int VERSION = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** Beyond any data set, and small enough that sizes in bytes do not overflow. */
  private static final long MOST = 1L << 48;

  private ShardIndexJson() {}

  static byte[] write(ShardIndex index) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("version", VERSION);
    json.put("key", index.key());
    json.put("dtype", index.files().width().text());
    json.put("vocabulary_size", index.vocabularySize());
    json.put("tokens", index.tokens());
    json.put("documents", index.documents());
    json.put("loss_mask", index.files().lossMask());
    json.put("segment_bytes", index.files().segmentBytes());
    ObjectNode skipped = json.putObject("skipped");
    index.skipped().forEach((reason, count) -> skipped.put(reason.name(), count));
    ObjectNode checksums = json.putObject("crc32c");
    new TreeMap<>(index.checksums())
        .forEach((name, crc) -> checksums.put(name, Integer.toUnsignedLong(crc)));
    return MAPPER.writeValueAsBytes(json);
  }

  /**
   * Reads an index and checks that it agrees with itself.
   *
   * @throws DamagedShardException naming the first thing that is wrong
   */
  static ShardIndex read(byte[] bytes) throws DamagedShardException {
    JsonNode json;
    try {
      json = MAPPER.readTree(bytes);
    } catch (JacksonException e) {
      throw new DamagedShardException("index.json is not JSON: " + Json.reason(e));
    }
    if (number(json, "version", 0, Integer.MAX_VALUE) != VERSION) {
      throw new DamagedShardException("index.json is of another version");
    }
    long segmentBytes = number(json, "segment_bytes", 16, ShardFiles.DEFAULT_SEGMENT_BYTES);
    if (Long.bitCount(segmentBytes) != 1) {
      throw new DamagedShardException("index.json: segment_bytes is no power of two");
    }
    int vocabularySize = (int) number(json, "vocabulary_size", 1, Integer.MAX_VALUE);
    TokenWidth width = TokenWidth.of(vocabularySize);
    if (!width.text().equals(text(json, "dtype"))) {
      throw new DamagedShardException("index.json: dtype does not fit vocabulary_size");
    }
    JsonNode lossMask = json.path("loss_mask");
    if (!lossMask.isBoolean()) {
      throw new DamagedShardException("index.json: loss_mask is missing");
    }
    return new ShardIndex(
        text(json, "key"),
        new ShardFiles(width, lossMask.booleanValue(), segmentBytes),
        vocabularySize,
        number(json, "tokens", 1, MOST),
        number(json, "documents", 1, MOST),
        skipped(json.path("skipped")),
        checksums(json.path("crc32c")));
  }

  private static Map<SkipReason, Long> skipped(JsonNode json) throws DamagedShardException {
    Map<SkipReason, Long> skipped = new EnumMap<>(SkipReason.class);
    for (SkipReason reason : SkipReason.values()) {
      if (json.has(reason.name())) {
        skipped.put(reason, number(json, reason.name(), 0, MOST));
      }
    }
    return skipped;
  }

  private static Map<String, Integer> checksums(JsonNode json) throws DamagedShardException {
    Map<String, Integer> checksums = new TreeMap<>();
    for (String name : json.propertyNames()) {
      checksums.put(name, (int) number(json, name, 0, 0xFFFF_FFFFL));
    }
    return checksums;
  }

  private static String text(JsonNode json, String name) throws DamagedShardException {
    JsonNode value = json.path(name);
    if (!value.isString()) {
      throw new DamagedShardException("index.json: " + name + " is missing");
    }
    return value.stringValue();
  }

  private static long number(JsonNode json, String name, long least, long most)
      throws DamagedShardException {
    JsonNode value = json.path(name);
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw new DamagedShardException("index.json: " + name + " is missing");
    }
    long number = value.longValue();
    if (number < least || number > most) {
      throw new DamagedShardException("index.json: " + name + " cannot be " + number);
    }
    return number;
  }
}
