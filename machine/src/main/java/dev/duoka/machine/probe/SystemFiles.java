package dev.duoka.machine.probe;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads small files below a root: {@code /} of this machine, or a copy of it in a capture. */
final class SystemFiles {
  private static final int LARGEST = 4 << 20;

  private final Path root;

  SystemFiles(Path root) {
    this.root = root;
  }

  Path path(String name) {
    return root.resolve(name.startsWith("/") ? name.substring(1) : name);
  }

  boolean exists(String name) {
    return Files.exists(path(name));
  }

  /**
   * The text; empty where it cannot be read. Files of /proc claim a size of 0, so it is not asked.
   */
  Optional<String> text(String name) {
    return bytes(name).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  Optional<byte[]> bytes(String name) {
    try (InputStream in = Files.newInputStream(path(name))) {
      return Optional.of(in.readNBytes(LARGEST));
    } catch (IOException | SecurityException e) {
      return Optional.empty(); // many files of /proc and /sys are for root only
    }
  }

  /** The only line of a file, without space around it. */
  Optional<String> line(String name) {
    return text(name).map(String::strip).filter(line -> !line.isEmpty());
  }

  /** The names of a folder's entries in order; none where it cannot be listed. */
  List<String> names(String folder) {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(path(folder))) {
      stream.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (IOException | java.nio.file.DirectoryIteratorException | SecurityException e) {
      return List.of();
    }
    names.sort(null);
    return names;
  }
}
