package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.safetensors.WrittenFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The file {@code manifest.json}: what a complete checkpoint consists of. It carries a hash of
 * itself, so that damage to it is not taken for damage to another file.
 *
 * @param files sizes and hashes by name
 */
record CheckpointManifest(Map<String, Content> files) {
  private static final int FORMAT = 1;
  private static final String NOT_INTACT = "Use an earlier checkpoint.";

  /** A file's size in bytes, and its SHA-256 in hexadecimal digits. */
  record Content(long size, String sha256) {}

  static CheckpointManifest of(List<WrittenFile> written) {
    Map<String, Content> files = new TreeMap<>();
    for (WrittenFile file : written) {
      String name = String.valueOf(file.path().getFileName());
      files.put(name, new Content(file.byteLength(), file.sha256()));
    }
    return new CheckpointManifest(files);
  }

  /** With the files of others, too. */
  CheckpointManifest with(Map<String, Content> others) {
    Map<String, Content> all = new TreeMap<>(files);
    all.putAll(others);
    return new CheckpointManifest(all);
  }

  long bytes() {
    return files.values().stream().mapToLong(Content::size).sum();
  }

  byte[] encode() {
    ObjectNode root = Json.object();
    root.put("format", FORMAT);
    ObjectNode list = root.putObject("files");
    files.forEach(
        (name, content) ->
            list.putObject(name).put("size", content.size()).put("sha256", content.sha256()));
    root.put("files_sha256", hash(list));
    return Json.pretty(root).getBytes(StandardCharsets.UTF_8);
  }

  /** That of a complete checkpoint. */
  static CheckpointManifest read(Path folder) {
    return read(folder, CheckpointFiles.MANIFEST);
  }

  static CheckpointManifest read(Path folder, String name) {
    Path file = folder.resolve(name);
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT, "cannot read " + file + ": " + e, NOT_INTACT, e);
    }
    JsonFields root =
        JsonFields.of(
            Json.parse(content, file.toString(), ErrorCode.CHECKPOINT),
            file.toString(),
            ErrorCode.CHECKPOINT);
    int format = root.integer("format");
    if (format > FORMAT) {
      throw new NewerCheckpointException(folder, format, FORMAT);
    }
    if (format != FORMAT) {
      throw root.error(
          "its format is " + format + ", known is " + FORMAT,
          "Use the version of duoka that wrote it.");
    }
    JsonFields list = root.object("files").orElseThrow(() -> damaged(root));
    Map<String, Content> files = new TreeMap<>();
    for (String listed : list.names()) {
      JsonFields entry = list.object(listed).orElseThrow(() -> damaged(root));
      JsonNode size = entry.node("size").orElseThrow(() -> damaged(root));
      boolean plain = !listed.contains("/") && !listed.contains("\\") && !listed.equals("..");
      if (!size.canConvertToLong() || !plain) {
        throw damaged(root);
      }
      String hash = entry.text("sha256").orElseThrow(() -> damaged(root));
      files.put(listed, new Content(size.longValue(), hash));
    }
    CheckpointManifest manifest = new CheckpointManifest(files);
    if (files.isEmpty() || !Arrays.equals(manifest.encode(), content)) {
      throw damaged(root);
    }
    return manifest;
  }

  private static String hash(JsonNode files) {
    return HexFormat.of().formatHex(Sha256.of(Json.line(files).getBytes(StandardCharsets.UTF_8)));
  }

  private static DuokaException damaged(JsonFields root) {
    return root.error("it is not as it was written", NOT_INTACT);
  }
}
