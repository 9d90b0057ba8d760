package dev.duoka.base;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** File operations that leave either the old or the new state on disk, never half of one. */
public final class CrashSafeFiles {
  private CrashSafeFiles() {}

  /** Writes a whole file: a temporary sibling, fsync, then an atomic rename over {@code target}. */
  public static void write(Path target, byte[] content) throws IOException {
    Path temporary = target.resolveSibling(target.getFileName() + ".tmp");
    fill(temporary, content);
    moveIntoPlace(temporary, target);
  }

  /**
   * As {@link #write}, for files that several processes may write at the same time: each under a
   * temporary name of its own, which is deleted when writing fails.
   */
  public static void publish(Path target, byte[] content) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    Path temporary = Files.createTempFile(folder, ".writing-", ".tmp");
    try {
      fill(temporary, content);
      moveIntoPlace(temporary, target);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Writes nothing that stays into a folder, to find out early whether {@link #write} will fail.
   */
  public static void tryOut(Path folder) throws IOException {
    Files.delete(Files.createTempFile(folder, ".writing-", ".tmp"));
  }

  private static void fill(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  /** Makes the content of a file durable. */
  public static void syncFile(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /** Renames atomically, then makes the rename itself durable by syncing the parent folder. */
  public static void moveIntoPlace(Path temporary, Path target) throws IOException {
    Files.move(
        temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Path folder = target.toAbsolutePath().getParent();
    if (folder != null) {
      syncFolder(folder);
    }
  }

  /** Makes the entries of a folder durable. */
  public static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Deletes a file or a folder with all it holds; nothing happens where there is none. */
  public static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(root)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }
}
