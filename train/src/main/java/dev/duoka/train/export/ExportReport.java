package dev.duoka.train.export;

import dev.duoka.formats.json.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * What an export wrote, read back and compared.
 *
 * @param folder the new folder
 * @param source the checkpoint's folder
 * @param dtype of the weights, for example {@code bfloat16}
 * @param tensors how many
 * @param files names, in the order of writing
 * @param bytes of all files
 * @param readers which programs read the model, where not all do
 * @param base what is to be known of an adapter's base, where it was kept in 4 bits
 */
public record ExportReport(
    Path folder,
    Path source,
    String dtype,
    int tensors,
    List<String> files,
    long bytes,
    Optional<String> readers,
    Optional<String> base) {
  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("folder", folder.toString());
    json.put("source", source.toString());
    json.put("dtype", dtype);
    json.put("tensors", tensors);
    files.forEach(json.putArray("files")::add);
    json.put("bytes", bytes);
    readers.ifPresent(it -> json.put("readers", it));
    base.ifPresent(it -> json.put("base", it));
    return json;
  }
}
