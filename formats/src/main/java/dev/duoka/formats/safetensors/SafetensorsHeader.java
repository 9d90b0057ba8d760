package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The JSON header of a file, parsed and checked against the file's size.
 *
 * @param tensors in the order of their bytes
 * @param metadata the strings under {@code __metadata__}
 */
record SafetensorsHeader(List<TensorEntry> tensors, Map<String, String> metadata) {
  /** The header's key that is no tensor. */
  static final String METADATA = "__metadata__";

  /** Bytes of the header's length before it. */
  static final int PREFIX = 8;

  /** Bytes of JSON; the reference implementation has the same limit. */
  static final long MAX_LENGTH = 100_000_000;

  private static final int ALIGNMENT = 8;
  private static final int MAX_DIMENSIONS = 64;

  /**
   * Parses a header.
   *
   * @param source what error messages call the file
   * @param dataLength the file's bytes after the header
   */
  static SafetensorsHeader parse(byte[] json, String source, long dataLength) {
    JsonNode root = Json.parse(json, source, ErrorCode.FORMAT);
    if (!root.isObject()) {
      throw malformed(source, "its header is not a JSON object");
    }
    List<TensorEntry> tensors = new ArrayList<>();
    Map<String, String> metadata = Map.of();
    for (Map.Entry<String, JsonNode> field : root.properties()) {
      if (field.getKey().equals(METADATA)) {
        metadata = metadata(field.getValue(), source);
      } else {
        tensors.add(tensor(field.getKey(), field.getValue(), source));
      }
    }
    tensors.sort(
        Comparator.comparingLong(TensorEntry::begin)
            .thenComparingLong(TensorEntry::byteLength)
            .thenComparing(TensorEntry::name));
    checkCover(tensors, source, dataLength);
    return new SafetensorsHeader(List.copyOf(tensors), metadata);
  }

  /** The header's bytes with its length before it, padded so that the data starts aligned. */
  byte[] encode() {
    ObjectNode root = Json.object();
    if (!metadata.isEmpty()) {
      ObjectNode strings = root.putObject(METADATA);
      metadata.forEach(strings::put);
    }
    for (TensorEntry tensor : tensors) {
      ObjectNode fields = root.putObject(tensor.name());
      fields.put("dtype", tensor.dtype().name());
      ArrayNode shape = fields.putArray("shape");
      tensor.shape().forEach(shape::add);
      ArrayNode offsets = fields.putArray("data_offsets");
      offsets.add(tensor.begin()).add(tensor.begin() + tensor.byteLength());
    }
    byte[] json = Json.line(root).getBytes(StandardCharsets.UTF_8);
    int length = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
    if (length > MAX_LENGTH) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot write a safetensors header of "
              + length
              + " bytes for "
              + tensors.size()
              + " tensors",
          "Write them to several files; readers accept at most " + MAX_LENGTH + " bytes.");
    }
    byte[] encoded = Arrays.copyOf(json, PREFIX + length);
    System.arraycopy(json, 0, encoded, PREFIX, json.length);
    Arrays.fill(encoded, PREFIX + json.length, encoded.length, (byte) ' ');
    for (int i = 0; i < PREFIX; i++) {
      encoded[i] = (byte) ((long) length >>> (8 * i));
    }
    return encoded;
  }

  /** An error that says the file cannot be trusted. */
  static DuokaException malformed(String source, String problem) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot read " + source + ": " + problem,
        "The file is damaged or no safetensors file; copy or download it again.");
  }

  private static Map<String, String> metadata(JsonNode node, String source) {
    if (!node.isObject()) {
      throw malformed(source, METADATA + " is not an object");
    }
    Map<String, String> metadata = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isString()) {
        throw malformed(source, METADATA + " '" + field.getKey() + "' is not a string");
      }
      metadata.put(field.getKey(), field.getValue().stringValue());
    }
    return metadata;
  }

  private static TensorEntry tensor(String name, JsonNode node, String source) {
    String tensor = "tensor '" + name + "'";
    if (!node.isObject()) {
      throw malformed(source, tensor + " is not described by an object");
    }
    StoredDtype dtype = dtype(tensor, node.path("dtype"), source);
    JsonNode shapeNode = node.path("shape");
    if (!shapeNode.isArray() || shapeNode.size() > MAX_DIMENSIONS) {
      throw malformed(
          source, tensor + " has no shape of at most " + MAX_DIMENSIONS + " dimensions");
    }
    List<Long> shape = new ArrayList<>();
    for (JsonNode size : shapeNode) {
      shape.add(count(size, tensor + "'s shape", source));
    }
    JsonNode offsets = node.path("data_offsets");
    if (!offsets.isArray() || offsets.size() != 2) {
      throw malformed(source, tensor + " has no data_offsets of two numbers");
    }
    long begin = count(offsets.get(0), tensor + "'s data_offsets", source);
    long end = count(offsets.get(1), tensor + "'s data_offsets", source);
    long bytes = TensorSize.bytes(dtype, shape);
    if (bytes < 0) {
      throw malformed(source, tensor + " has shape " + shape + ", more bytes than 63 bits count");
    }
    if (end < begin || end - begin != bytes) {
      throw malformed(
          source,
          tensor
              + (" of dtype " + dtype + " and shape " + shape + " needs " + bytes + " bytes")
              + (" but its data_offsets are [" + begin + ", " + end + "]"));
    }
    return new TensorEntry(name, dtype, shape, begin, bytes);
  }

  private static StoredDtype dtype(String tensor, JsonNode node, String source) {
    if (!node.isString()) {
      throw malformed(source, tensor + " has no dtype");
    }
    String name = node.stringValue();
    return StoredDtype.named(name)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.FORMAT,
                    "cannot read " + source + ": " + tensor + " has dtype '" + name + "'",
                    "Supported are " + Arrays.toString(StoredDtype.values()) + "."));
  }

  private static long count(JsonNode node, String what, String source) {
    if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
      throw malformed(source, what + " holds " + node + ", not a whole number from 0");
    }
    return node.longValue();
  }

  /** Every byte of the data belongs to exactly one tensor. */
  private static void checkCover(List<TensorEntry> tensors, String source, long dataLength) {
    long covered = 0;
    String last = "the header";
    for (TensorEntry tensor : tensors) {
      String name = "tensor '" + tensor.name() + "'";
      if (tensor.begin() < covered) {
        throw malformed(source, name + " overlaps " + last);
      }
      if (tensor.begin() > covered) {
        throw malformed(
            source, (tensor.begin() - covered) + " bytes between " + last + " and " + name);
      }
      covered += tensor.byteLength();
      if (covered > dataLength) {
        throw malformed(
            source, name + " ends at data byte " + covered + " but the file holds " + dataLength);
      }
      last = name;
    }
    if (covered < dataLength) {
      throw malformed(source, (dataLength - covered) + " bytes follow " + last);
    }
  }
}
