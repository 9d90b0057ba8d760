package dev.duoka.machine.topology;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where real captures of other people's machines lie, if they are there at all. */
final class CorpusFolder {
  private CorpusFolder() {}

  /** A folder of it; the test is skipped where it is absent. */
  static Path find(String name) {
    Path root =
        Optional.ofNullable(System.getenv("DUOKA_CORPUS"))
            .map(Path::of)
            .orElseGet(
                () ->
                    Path.of(System.getProperty("duoka.repository"))
                        .resolveSibling("shared")
                        .resolve("corpus"));
    Path folder = root.resolve(name);
    assumeTrue(
        Files.isDirectory(folder),
        () -> "no corpus at " + folder + "; DUOKA_CORPUS names another place");
    return folder;
  }
}
