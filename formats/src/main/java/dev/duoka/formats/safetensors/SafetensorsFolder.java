package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The weights of a model's folder, in one file or in shards, opened for reading as one.
 *
 * <p>As in transformers, {@code model.safetensors} goes before {@code model.safetensors.index.json}
 * with its shards. Threads may read at once, as from a {@link SafetensorsFile}.
 */
public final class SafetensorsFolder implements AutoCloseable {
  private final Path folder;
  private final List<SafetensorsFile> files;
  private final List<TensorEntry> tensors;
  private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
  private final Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();

  private SafetensorsFolder(Path folder, List<SafetensorsFile> files) {
    this.folder = folder;
    this.files = List.copyOf(files);
    this.tensors = files.stream().flatMap(file -> file.tensors().stream()).toList();
    for (SafetensorsFile file : files) {
      for (TensorEntry tensor : file.tensors()) {
        entries.put(tensor.name(), tensor);
        fileOf.put(tensor.name(), file);
      }
    }
  }

  /** Opens all files of a folder and checks that shards and index agree. */
  public static SafetensorsFolder open(Path folder) {
    Path single = folder.resolve(ShardIndex.SINGLE_FILE_NAME);
    Path index = folder.resolve(ShardIndex.FILE_NAME);
    if (Files.exists(single)) {
      return new SafetensorsFolder(folder, List.of(SafetensorsFile.open(single)));
    }
    if (!Files.exists(index)) {
      throw noWeights(folder);
    }
    Map<String, SafetensorsFile> shards = new TreeMap<>();
    boolean opened = false;
    try {
      Map<String, String> weightMap = ShardIndex.read(index);
      for (String shard : weightMap.values()) {
        if (!shards.containsKey(shard)) {
          shards.put(shard, openShard(folder, shard));
        }
      }
      checkAgainstIndex(folder, weightMap, shards);
      SafetensorsFolder result = new SafetensorsFolder(folder, List.copyOf(shards.values()));
      opened = true;
      return result;
    } finally {
      if (!opened) {
        shards.values().forEach(SafetensorsFile::close);
      }
    }
  }

  /** Opens one file of a folder, whatever else is there. */
  public static SafetensorsFolder open(Path folder, String file) {
    Path path = folder.resolve(file);
    if (!Files.exists(path)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read " + folder + ": it has no " + file,
          "Copy or download the missing file.");
    }
    return new SafetensorsFolder(folder, List.of(SafetensorsFile.open(path)));
  }

  /** The folder's path. */
  public Path path() {
    return folder;
  }

  /** The files, sorted by name. */
  public List<SafetensorsFile> files() {
    return files;
  }

  /** All tensors of all files; each entry's {@code begin} counts in its own file. */
  public List<TensorEntry> tensors() {
    return tensors;
  }

  /** Whether a tensor of this name is in the folder. */
  public boolean contains(String name) {
    return entries.containsKey(name);
  }

  /** The tensor of this name; an error with the nearest name where there is none. */
  public TensorEntry entry(String name) {
    TensorEntry entry = entries.get(name);
    if (entry == null) {
      throw SafetensorsFile.missing(folder, name, entries);
    }
    return entry;
  }

  /**
   * Reads {@code into.remaining()} bytes of a tensor and advances the buffer.
   *
   * @param byteOffset the first byte to read, counted from the tensor's first
   */
  public void read(TensorEntry entry, long byteOffset, ByteBuffer into) {
    SafetensorsFile file = fileOf.get(entry.name());
    if (file == null) {
      throw SafetensorsFile.missing(folder, entry.name(), entries);
    }
    file.read(entry, byteOffset, into);
  }

  /** Closes all files; a second call does nothing. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }

  private static SafetensorsFile openShard(Path folder, String shard) {
    Path path = folder.resolve(shard);
    if (!Files.exists(path)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read " + folder + ": its index names " + shard + ", which is not there",
          "Copy or download the missing file.");
    }
    return SafetensorsFile.open(path);
  }

  private static void checkAgainstIndex(
      Path folder, Map<String, String> weightMap, Map<String, SafetensorsFile> shards) {
    shards.forEach(
        (name, shard) -> {
          for (TensorEntry tensor : shard.tensors()) {
            String expected = weightMap.get(tensor.name());
            if (!name.equals(expected)) {
              throw ShardIndex.contradiction(
                  folder,
                  name
                      + (" holds tensor '" + tensor.name() + "', which the index ")
                      + (expected == null ? "does not name" : "places in " + expected));
            }
          }
        });
    weightMap.forEach(
        (tensor, name) -> {
          SafetensorsFile shard = shards.get(name);
          if (shard == null || !shard.contains(tensor)) {
            throw ShardIndex.contradiction(
                folder, "it places tensor '" + tensor + "' in " + name + ", which lacks it");
          }
        });
  }

  private static DuokaException noWeights(Path folder) {
    List<String> others = new ArrayList<>();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(folder, "*.{bin,pt,pth,gguf,safetensors}")) {
      found.forEach(path -> others.add(String.valueOf(path.getFileName())));
    } catch (IOException e) {
      return FileErrors.reading(folder, e);
    }
    return new DuokaException(
        ErrorCode.FORMAT,
        ("no weights in " + folder + ": neither " + ShardIndex.SINGLE_FILE_NAME + " nor ")
            + (ShardIndex.FILE_NAME + (others.isEmpty() ? "" : ", but " + others)),
        others.isEmpty()
            ? "Check the path."
            : "Save the model again with transformers' save_pretrained, which writes safetensors.");
  }
}
