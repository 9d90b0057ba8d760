package dev.duoka.checks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Where things are in the source tree. */
final class Repository {
  /** The modules in the order of their dependencies, as in the root pom. */
  static final List<String> MODULES =
      List.of(
          "base",
          "layout",
          "formats",
          "hardware",
          "ffi",
          "tensor",
          "comm",
          "engine",
          "model",
          "data",
          "parallel",
          "train",
          "verify",
          "measure",
          "machine",
          "doctor",
          "diagnosis",
          "planner",
          "operations",
          "experiment",
          "cli");

  private Repository() {}

  /** The root of the source tree. */
  static Path root() {
    return Path.of(System.getProperty("duoka.repository"));
  }

  /** The packaged program. */
  static Path app() {
    return root().resolve("cli/target/app");
  }

  /** The jar of a module in the packaged program. */
  static Path jar(String module) {
    return only(app().resolve("lib"), "duoka-" + module + "-", ".jar");
  }

  /** The text of a file of the source tree. */
  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All Java packages of a module's main code that hold a class, as folders. */
  static List<Path> packages(String module) {
    Path sources = root().resolve(module).resolve("src/main/java");
    try (Stream<Path> files = Files.walk(sources)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(Path::getParent)
          .filter(folder -> !folder.equals(sources)) // module-info.java
          .distinct()
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All Java sources of all modules, tests too, by the name of their class. */
  static Map<String, Path> sources() {
    Map<String, Path> sources = new HashMap<>();
    List<String> modules = new ArrayList<>(MODULES);
    modules.add("checks");
    for (String module : modules) {
      try (Stream<Path> files = Files.walk(root().resolve(module).resolve("src"))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(file -> sources.put(className(file), file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return sources;
  }

  private static String className(Path file) {
    return file.getFileName().toString().replaceFirst("\\.java$", "");
  }

  private static Path only(Path folder, String prefix, String suffix) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found =
          files
              .filter(file -> file.getFileName().toString().startsWith(prefix))
              .filter(file -> file.getFileName().toString().endsWith(suffix))
              .toList();
      if (found.size() != 1) {
        throw new AssertionError("wanted one " + prefix + "*" + suffix + ", found " + found);
      }
      return found.getFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
