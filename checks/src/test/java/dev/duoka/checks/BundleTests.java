package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundle runs where there is neither a JDK nor anything on the PATH. */
final class BundleTests {
  private static final long LARGEST_BYTES = 45_000_000;

  @TempDir static Path folder;

  private static Path archive = Path.of("");
  private static Path unpacked = Path.of("");

  @BeforeAll
  static void writeAndUnpack() throws IOException, InterruptedException {
    archive = folder.resolve("bundle.tar.xz");
    Command bundle =
        Command.run(
            folder,
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "@" + Repository.app().resolve("jvm.options"),
            "-p",
            Repository.app().resolve("lib").toString(),
            "-m",
            "dev.duoka.cli/dev.duoka.cli.Main",
            "bundle",
            "--output",
            archive.toString());
    assertThat(bundle.exitStatus()).as(bundle.output()).isZero();
    Command tar = Command.run(folder, "tar", "-xf", archive.toString());
    assertThat(tar.exitStatus()).as(tar.output()).isZero();
    try (Stream<Path> files = Files.list(folder)) {
      unpacked = files.filter(Files::isDirectory).findFirst().orElseThrow();
    }
  }

  @Test
  void runsWithoutAnyEnvironment() throws IOException, InterruptedException {
    assertThat(version(unpacked.resolve("duoka"))).contains("duoka ", "Java 25");
  }

  @Test
  void runsThroughSymbolicLinksFromAnyFolder() throws IOException, InterruptedException {
    Path link = Files.createSymbolicLink(folder.resolve("direct"), unpacked.resolve("duoka"));
    Path deeper = Files.createDirectory(folder.resolve("bin"));
    Path relative = Files.createSymbolicLink(deeper.resolve("duoka"), Path.of("../direct"));
    assertThat(version(link)).contains("duoka ");
    assertThat(version(relative)).contains("duoka ");
  }

  @Test
  void isSmallAndHoldsNoLibTorch() throws IOException {
    assertThat(Files.size(archive)).isLessThan(LARGEST_BYTES);
    try (Stream<Path> files = Files.walk(unpacked)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .noneMatch(name -> name.contains("pytorch") || name.contains("libtorch"));
    }
  }

  @Test
  void bringsItsPagesAndExamples() throws IOException, InterruptedException {
    assertThat(unpacked)
        .isDirectoryContaining("glob:**/LICENSE")
        .isDirectoryContaining("glob:**/NOTICE")
        .isDirectoryContaining("glob:**/README.md");
    assertThat(unpacked.resolve("docs/run-file.md")).exists();
    Path example = unpacked.resolve("examples/quickstart.yaml");
    assertThat(example)
        .hasSameTextualContentAs(Repository.root().resolve("examples/quickstart.yaml"));
  }

  @Test
  void itsEntriesAreInOrder() throws IOException, InterruptedException {
    Command listing = Command.run(folder, "tar", "-tf", archive.toString());
    List<String> libraries =
        listing.output().lines().filter(name -> name.matches("[^/]+/lib/[^/]+\\.jar")).toList();
    assertThat(libraries).isSorted().hasSizeGreaterThan(Repository.MODULES.size());
  }

  private static String version(Path launcher) throws IOException, InterruptedException {
    Command run =
        Command.run(Path.of("/"), Map.of("PATH", ""), List.of(launcher.toString(), "--version"));
    assertThat(run.exitStatus()).as(run.output()).isZero();
    assertThat(run.output()).doesNotContain("WARNING"); // from the JVM, about its flags
    return run.output();
  }
}
