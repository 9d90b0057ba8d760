package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which file of a folder holds which tensor, {@code model.safetensors.index.json}.
 *
 * @param totalSize bytes of all tensors
 * @param files tensor names to file names
 */
record ShardIndex(long totalSize, Map<String, String> files) {
  /** The index's own file name. */
  static final String FILE_NAME = "model.safetensors.index.json";

  /** The file name of a model that is not sharded. */
  static final String SINGLE_FILE_NAME = "model.safetensors";

  /** Hugging Face's name of a shard, counted from 1. */
  static String shardName(int shard, int shards) {
    return String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", shard, shards);
  }

  /** Reads the tensors' places; {@code metadata} varies between writers and is not needed. */
  static Map<String, String> read(Path file) {
    String source = file.toString();
    JsonFields root = JsonFields.of(Json.parse(file, ErrorCode.FORMAT), source, ErrorCode.FORMAT);
    JsonFields weightMap =
        root.object("weight_map")
            .orElseThrow(
                () -> root.error("it has no 'weight_map'", "Copy or download the index again."));
    Map<String, String> files = new LinkedHashMap<>();
    for (String tensor : weightMap.names()) {
      String shard = weightMap.text(tensor).orElse("");
      if (shard.isEmpty() || shard.contains("/") || shard.contains("\\") || shard.contains("\0")) {
        throw root.error(
            "'weight_map' places tensor '" + tensor + "' in '" + shard + "'",
            "It must be the name of a file in the same folder.");
      }
      files.put(tensor, shard);
    }
    if (files.isEmpty()) {
      throw root.error("'weight_map' is empty", "Copy or download the index again.");
    }
    return files;
  }

  byte[] encode() {
    ObjectNode root = Json.object();
    root.putObject("metadata").put("total_size", totalSize);
    ObjectNode weightMap = root.putObject("weight_map");
    files.forEach(weightMap::put);
    return Json.pretty(root).getBytes(StandardCharsets.UTF_8);
  }

  /** The index and a shard contradict each other. */
  static DuokaException contradiction(Path folder, String problem) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot read " + folder.resolve(FILE_NAME) + ": " + problem,
        "Index and shards belong to different models; copy or download the whole folder again.");
  }
}
