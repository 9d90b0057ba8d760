package dev.duoka.ffi.library;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds Python packages on disk without running Python. */
final class PythonPackages {
  private PythonPackages() {}

  /**
   * Folders of an installed package, the one a shell's {@code python3} would import first: the
   * active virtual or conda environment, the interpreters on {@code PATH}, the user's own site,
   * then the usual system places and other environments.
   */
  static List<Path> find(String name, Map<String, String> environment, Path root) {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String value = environment.get(variable);
      if (value != null && !value.isBlank()) {
        prefixes.add(Path.of(value));
      }
    }
    for (String entry : environment.getOrDefault("PATH", "").split(":")) {
      Path folder = Path.of(entry.isEmpty() ? "." : entry);
      Path parent = folder.getParent();
      if (parent != null && Files.exists(folder.resolve("python3"))) {
        prefixes.add(parent);
      }
    }
    String home = environment.get("HOME");
    if (home != null) {
      prefixes.add(Path.of(home, ".local"));
      prefixes.addAll(children(Path.of(home, ".pyenv/versions"), "*"));
    }
    for (String place : List.of("usr/local", "usr", "opt/conda", "opt/venv")) {
      prefixes.add(root.resolve(place));
    }
    Set<Path> found = new LinkedHashSet<>();
    for (Path prefix : prefixes) {
      for (Path library : children(prefix.resolve("lib"), "python3*")) {
        for (String site : List.of("site-packages", "dist-packages")) {
          Path folder = library.resolve(site).resolve(name);
          if (Files.isDirectory(folder)) {
            found.add(realPath(folder));
          }
        }
      }
    }
    return List.copyOf(found);
  }

  private static List<Path> children(Path folder, String glob) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      stream.forEach(children::add);
    } catch (IOException e) {
      return List.of(); // a folder that may not be read holds nothing for this user
    }
    children.sort(null);
    return children;
  }

  private static Path realPath(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
