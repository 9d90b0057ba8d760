package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model's weights into a folder, in shards of a limited size where they exceed it. Several
 * processes can each write a group of them; the first one writes the index.
 *
 * <p>Declared tensors are dealt to shards in the order given; a tensor larger than the limit has a
 * shard of its own. Bytes follow in the order of {@link #tensors}, in chunks of any size. The index
 * is written last, so a folder without one, or without all of its shards, is incomplete. Not
 * thread-safe.
 */
public final class SafetensorsFolderWriter implements AutoCloseable {
  private final Path folder;
  private final Map<String, String> metadata;
  private final List<List<TensorDeclaration>> shards;
  private final int first;
  private final int end;
  private final boolean writesIndex;
  private final List<TensorEntry> tensors = new ArrayList<>();
  private final Map<String, Integer> shardOf = new TreeMap<>();
  private final List<WrittenFile> written = new ArrayList<>();
  private long totalBytes;
  private @Nullable SafetensorsWriter writer;

  /**
   * A writer of the shards from {@code first} to before {@code end}.
   *
   * @param shards those of the whole folder
   * @param writesIndex whether the index, if there is to be one, is written here
   */
  private SafetensorsFolderWriter(
      Path folder,
      List<List<TensorDeclaration>> shards,
      int first,
      int end,
      boolean writesIndex,
      Map<String, String> metadata) {
    this.folder = folder;
    this.shards = shards;
    this.first = first;
    this.end = end;
    this.writesIndex = writesIndex;
    this.metadata = metadata;
    for (int shard = 0; shard < shards.size(); shard++) {
      for (TensorEntry tensor : SafetensorsWriter.layOut(path(shard), shards.get(shard))) {
        totalBytes += tensor.byteLength();
        if (first <= shard && shard < end) {
          tensors.add(tensor);
        }
        if (shardOf.put(tensor.name(), shard) != null) {
          throw SafetensorsWriter.duplicate(folder, tensor.name());
        }
      }
    }
  }

  /**
   * Plans the shards of a folder, which must exist and hold no weights.
   *
   * @param maxShardBytes bytes of tensors per file
   */
  public static SafetensorsFolderWriter create(
      Path folder,
      List<TensorDeclaration> declarations,
      Map<String, String> metadata,
      long maxShardBytes) {
    for (String name : List.of(ShardIndex.SINGLE_FILE_NAME, ShardIndex.FILE_NAME)) {
      if (Files.exists(folder.resolve(name))) {
        throw new DuokaException(
            ErrorCode.IO,
            "cannot write weights to " + folder + ": it holds " + name + " already",
            "Choose another folder, or delete that model first.");
      }
    }
    return createPart(folder, List.of(declarations), 0, metadata, maxShardBytes);
  }

  /**
   * As the other method, for a folder that several processes write together: each with the same
   * groups and the number of its own. Only the first one writes the index, if there is one; the
   * folder is complete when all have finished.
   *
   * @param groups the tensors of all processes; no shard holds any of two groups
   * @param group whose shards are written here
   */
  public static SafetensorsFolderWriter createPart(
      Path folder,
      List<List<TensorDeclaration>> groups,
      int group,
      Map<String, String> metadata,
      long maxShardBytes) {
    List<List<TensorDeclaration>> shards = new ArrayList<>();
    int first = 0;
    int end = 0;
    for (int i = 0; i < groups.size(); i++) {
      first = i == group ? shards.size() : first;
      if (groups.size() == 1 || !groups.get(i).isEmpty()) {
        shards.addAll(dealt(groups.get(i), maxShardBytes));
      }
      end = i == group ? shards.size() : end;
    }
    return new SafetensorsFolderWriter(folder, shards, first, end, group == 0, metadata);
  }

  private static List<List<TensorDeclaration>> dealt(
      List<TensorDeclaration> declarations, long maxShardBytes) {
    List<List<TensorDeclaration>> shards = new ArrayList<>();
    shards.add(new ArrayList<>());
    long bytes = 0;
    for (TensorDeclaration tensor : declarations) {
      if (bytes > 0 && tensor.byteLength() > maxShardBytes - bytes) {
        shards.add(new ArrayList<>());
        bytes = 0;
      }
      shards.getLast().add(tensor);
      bytes += tensor.byteLength();
    }
    return shards;
  }

  /** The tensors in the order in which their bytes must be written. */
  public List<TensorEntry> tensors() {
    return List.copyOf(tensors);
  }

  /** Appends the buffer's remaining bytes to a tensor, whose turn it must be. */
  public void write(String name, ByteBuffer chunk) {
    Integer shard = shardOf.get(name);
    if (shard == null || shard < first || shard >= end) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot write tensor '" + name + "' to " + folder + ": it was not declared",
          "This is an error of the program; please report it.");
    }
    while (first + written.size() < shard) {
      finishShard();
    }
    current().write(name, chunk);
  }

  /** Completes the last shard, and the index; an error where bytes are missing. */
  public List<WrittenFile> finish() {
    while (first + written.size() < end) {
      finishShard();
    }
    if (shards.size() > 1 && writesIndex) {
      written.add(writeIndex());
    }
    return List.copyOf(written);
  }

  /** Deletes an unfinished shard; complete ones stay. Does nothing after {@link #finish}. */
  @Override
  public void close() {
    if (writer != null) {
      writer.close();
      writer = null;
    }
  }

  private SafetensorsWriter current() {
    SafetensorsWriter open = writer;
    if (open == null) {
      int shard = first + written.size();
      open = SafetensorsWriter.create(path(shard), shards.get(shard), metadata);
      writer = open;
    }
    return open;
  }

  private void finishShard() {
    written.add(current().finish());
    close();
  }

  private Path path(int shard) {
    return folder.resolve(
        shards.size() == 1
            ? ShardIndex.SINGLE_FILE_NAME
            : ShardIndex.shardName(shard + 1, shards.size()));
  }

  private WrittenFile writeIndex() {
    Map<String, String> files = new TreeMap<>();
    shardOf.forEach((tensor, shard) -> files.put(tensor, path(shard).getFileName().toString()));
    try (DigestingFile file = new DigestingFile(folder.resolve(ShardIndex.FILE_NAME))) {
      file.write(ByteBuffer.wrap(new ShardIndex(totalBytes, files).encode()));
      return file.finish();
    }
  }
}
