package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./duoka} builds when it must and only then; run in a small tree with stand-in tools. */
final class LauncherTests {
  private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
  private static final FileTime LATER = FileTime.from(Instant.parse("2021-01-01T00:00:00Z"));

  @TempDir Path folder;

  @BeforeEach
  void layOut() throws IOException {
    copy("duoka");
    copy("tools/find-jdk");
    write("pom.xml", "");
    for (String module : List.of("base", "cli")) {
      write(module + "/pom.xml", "");
      write(module + "/src/main/java/A.java", "");
      write(module + "/src/main/java/B.java", "");
    }
    write("jdk/release", "JAVA_VERSION=\"25.0.1\"\n");
    script("jdk/bin/java", "echo \"java $*\"");
    script("jdk/bin/javac", "");
    script(
        "bin/mvn",
        "echo BUILT; rm -rf cli/target/app; mkdir -p cli/target/app/lib;"
            + " : > cli/target/app/lib/duoka-cli-1.jar");
  }

  @Test
  void buildsTheFirstTimeAndThenNoMore() throws IOException, InterruptedException {
    assertThat(duoka().output()).contains("Building duoka", "BUILT", "-m dev.duoka.cli");
    age();
    assertThat(duoka().output()).doesNotContain("BUILT").contains("--some-option 'a b'");
  }

  @Test
  void buildsAgainAfterAnyChangeOfTheSources() throws IOException, InterruptedException {
    duoka();
    for (String changed :
        List.of("pom.xml", "base/pom.xml", "base/src/main/java/A.java", "cli/pom.xml")) {
      age();
      assertThat(duoka().output()).doesNotContain("BUILT");
      Files.setLastModifiedTime(folder.resolve(changed), FileTime.from(Instant.now()));
      assertThat(duoka().output()).as(changed).contains("BUILT");
    }
    age();
    Files.delete(folder.resolve("base/src/main/java/B.java"));
    assertThat(duoka().output()).as("a deleted source").contains("BUILT");
    age();
    write("base/src/main/java/C.java", "");
    assertThat(duoka().output()).as("a new source").contains("BUILT");
  }

  @Test
  void aBuildByHandCounts() throws IOException, InterruptedException {
    duoka();
    age();
    Files.delete(folder.resolve("cli/target/app/started"));
    assertThat(duoka().output()).doesNotContain("BUILT");
  }

  @Test
  void aFailedBuildEndsWithOneMessage() throws IOException, InterruptedException {
    script("bin/mvn", "echo no such symbol; exit 1");
    Command run = duoka();
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.output()).contains("no such symbol", "The build failed");
  }

  @Test
  void saysWhatToInstallWithoutMaven() throws IOException, InterruptedException {
    Files.delete(folder.resolve("bin/mvn"));
    for (String tool : List.of("dirname", "readlink", "sed", "find", "head", "ls")) {
      script("bin/" + tool, "PATH=/usr/bin:/bin exec " + tool + " \"$@\"");
    }
    Command run = run(folder.resolve("bin").toString());
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.output()).contains("no Maven", "apt-get install maven");
  }

  @Test
  void saysWhenTheNamedJdkDoesNotFit() throws IOException, InterruptedException {
    write("jdk/release", "JAVA_VERSION=\"17.0.1\"\n");
    Command run = duoka();
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.output()).contains("DUOKA_JAVA_HOME", "no JDK >= 25", "17");
  }

  private Command duoka() throws IOException, InterruptedException {
    return run(folder.resolve("bin") + ":/usr/bin:/bin");
  }

  private Command run(String path) throws IOException, InterruptedException {
    Map<String, String> environment =
        Map.of("PATH", path, "DUOKA_JAVA_HOME", folder.resolve("jdk").toString());
    return Command.run(
        Path.of("/"),
        environment,
        List.of(folder.resolve("duoka").toString(), "--some-option", "'a b'"));
  }

  /** Makes every source old and the program younger. */
  private void age() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        boolean built = file.startsWith(folder.resolve("cli/target"));
        Files.setLastModifiedTime(file, built ? LATER : LONG_AGO);
      }
    }
  }

  private void copy(String name) throws IOException {
    script(name, Repository.read(Repository.root().resolve(name)));
  }

  private void script(String name, String text) throws IOException {
    write(name, text.startsWith("#!") ? text : "#!/bin/sh\n" + text + "\n");
    assertThat(folder.resolve(name).toFile().setExecutable(true)).isTrue();
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.resolveSibling(""));
    Files.writeString(file, text);
  }
}
