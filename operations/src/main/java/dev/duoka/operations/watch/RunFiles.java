package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.OrdinaryFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a run's folder, and nothing else: what a link leads to outside of it, a pipe or a
 * device is refused by name, before it is opened.
 */
final class RunFiles {
  /** Of a supervisor's folder: an attempt, a worker, its files. */
  private static final int DEPTH = 4;

  private static final Pattern CHECKPOINT = Pattern.compile("step-(\\d{1,18})");

  private final Path folder;

  /**
   * The files of a folder, whose own path may have links.
   *
   * @throws DuokaException {@code USAGE} when there is no such folder
   */
  RunFiles(Path folder) {
    try {
      this.folder = folder.toRealPath();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot read the run folder " + folder + ": " + IoReason.of(e),
          "Name the folder of a run; duoka runs lists them",
          e);
    }
    if (!Files.isDirectory(this.folder)) {
      throw new DuokaException(
          ErrorCode.USAGE, folder + " is not a folder", "Name the folder of a run");
    }
  }

  /** The folder, without links. */
  Path folder() {
    return folder;
  }

  /**
   * Where a file really is; empty where there is none.
   *
   * @param file in the folder
   * @throws DuokaException when it leads out of the folder, or is no ordinary file
   */
  Optional<Path> real(Path file) {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    Path real;
    try {
      real = file.toRealPath();
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
    if (!real.startsWith(folder)) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read " + file + ": it is a link that leads out of the run's folder",
          "Put the file itself there");
    }
    OrdinaryFile.require(real, ErrorCode.IO);
    if (!Files.isRegularFile(real, LinkOption.NOFOLLOW_LINKS)) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": it is a folder", "Move it away");
    }
    return Optional.of(real);
  }

  /** Whether it is a folder, and within the run's own. */
  boolean isOwnFolder(Path path) {
    try {
      return Files.isDirectory(path) && path.toRealPath().startsWith(folder);
    } catch (IOException e) {
      return false; // it is being deleted
    }
  }

  /**
   * Refuses what {@link #real} refuses anywhere under a folder; links to folders are not followed,
   * and are refused too. A folder that is not there has nothing.
   */
  void refuseOthersUnder(Path path) {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> all = Files.walk(path, DEPTH)) {
      all.filter(each -> !Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)).forEach(this::real);
    } catch (IOException e) {
      throw cannotRead(path, e);
    } catch (UncheckedIOException e) {
      throw cannotRead(path, Objects.requireNonNull(e.getCause()));
    }
  }

  /** Opens a file for reading; empty where there is none. Throws as {@link #real} does. */
  Optional<FileChannel> open(Path file) {
    Optional<Path> real = real(file);
    if (real.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          FileChannel.open(real.get(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
  }

  /**
   * The last whole lines of a text file; empty where there is none.
   *
   * @param most bytes of it
   */
  String tail(Path file, int most) {
    Optional<FileChannel> opened = open(file);
    if (opened.isEmpty()) {
      return "";
    }
    try (FileChannel channel = opened.get()) {
      long start = Math.max(0, channel.size() - most);
      ByteBuffer bytes = ByteBuffer.allocate(most);
      int read = 0;
      while (bytes.hasRemaining() && read >= 0) {
        read = channel.read(bytes, start + bytes.position());
      }
      String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
      return start == 0 ? text : text.substring(text.indexOf('\n') + 1);
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
  }

  /**
   * All of a small file; nothing where there is none.
   *
   * @param most bytes that it may have
   * @throws DuokaException when it has more, or cannot be read
   */
  byte[] bytes(Path file, int most) {
    Optional<FileChannel> opened = open(file);
    if (opened.isEmpty()) {
      return new byte[0];
    }
    try (FileChannel channel = opened.get()) {
      if (channel.size() > most) {
        throw new DuokaException(
            ErrorCode.IO,
            "cannot read " + file + ": it has " + channel.size() + " bytes",
            "No such file has more than " + most);
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
      int read = 0;
      while (bytes.hasRemaining() && read >= 0) {
        read = channel.read(bytes, bytes.position());
      }
      return Arrays.copyOf(bytes.array(), bytes.position());
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
  }

  /** The steps of the checkpoints that are whole, as far as their folders' names tell. */
  List<Long> checkpoints() {
    Path path = folder.resolve("checkpoints");
    if (!isOwnFolder(path)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries
          .map(entry -> CHECKPOINT.matcher(String.valueOf(entry.getFileName())))
          .filter(Matcher::matches)
          .map(matcher -> Long.valueOf(matcher.group(1)))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of(); // they are being deleted
    }
  }

  static DuokaException cannotRead(Path file, IOException e) {
    return new DuokaException(
        ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
  }
}
