package dev.duoka.machine.probe;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Real outputs of other people's machines, which lie beside the repository where they lie at all.
 */
final class Corpus {
  private Corpus() {}

  static Path folder(String name) {
    String configured = System.getenv("DUOKA_CORPUS");
    Path corpus =
        configured == null
            ? Path.of(System.getProperty("duoka.repository"), "..", "shared", "corpus")
            : Path.of(configured);
    Path folder = corpus.resolve(name);
    assumeTrue(Files.isDirectory(folder), folder + " is not there; set DUOKA_CORPUS");
    return folder;
  }
}
