package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./duoka} builds when it must and only then; run in a small tree with stand-in tools. */
final class LauncherTests {
  private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
  private static final FileTime LATER = FileTime.from(Instant.parse("2021-01-01T00:00:00Z"));

  private static final String BUILDING = "Building duoka";

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
    assertThat(duoka().output()).contains(BUILDING, "-m dev.duoka.cli");
    age();
    assertThat(duoka().output()).doesNotContain(BUILDING).contains("--some-option 'a b'");
  }

  @Test
  void buildsAgainAfterAnyChangeOfTheSources() throws IOException, InterruptedException {
    duoka();
    for (String changed :
        List.of("pom.xml", "base/pom.xml", "base/src/main/java/A.java", "cli/pom.xml")) {
      age();
      assertThat(duoka().output()).doesNotContain(BUILDING);
      Files.setLastModifiedTime(folder.resolve(changed), FileTime.from(Instant.now()));
      assertThat(duoka().output()).as(changed).contains(BUILDING);
    }
    age();
    Files.delete(folder.resolve("base/src/main/java/B.java"));
    assertThat(duoka().output()).as("a deleted source").contains(BUILDING);
    age();
    write("base/src/main/java/C.java", "");
    assertThat(duoka().output()).as("a new source").contains(BUILDING);
  }

  @Test
  void aBuildByHandCounts() throws IOException, InterruptedException {
    duoka();
    age();
    Files.delete(folder.resolve("cli/target/app/started"));
    assertThat(duoka().output()).doesNotContain(BUILDING);
  }

  @Test
  void aFailedBuildEndsWithOneMessage() throws IOException, InterruptedException {
    script(
        "bin/mvn",
        "echo '[INFO] Scanning'; echo '[WARNING] Could not transfer metadata'; echo no such symbol;"
            + " echo '[ERROR] COMPILATION ERROR' >&2; exit 1");
    Command run = duoka();
    assertThat(run.exitStatus()).isEqualTo(1);
    Path log = folder.resolve("cli/target/build.log");
    assertThat(run.output())
        .containsSubsequence(
            "[WARNING] Could not transfer metadata",
            "no such symbol",
            "[ERROR] COMPILATION ERROR",
            "The build failed",
            log.toString())
        .doesNotContain("[INFO]", "java -");
    assertThat(log).content().contains("[INFO] Scanning", "[ERROR] COMPILATION ERROR");
  }

  @Test
  void ofALongLogTheEndIsShown() throws IOException, InterruptedException {
    script("bin/mvn", "i=0; while [ $i -lt 500 ]; do echo \"line $i.\"; i=$((i+1)); done; exit 1");
    assertThat(duoka().output()).contains("line 499.").doesNotContain("line 400.");
  }

  @Test
  void aBuildThatWasKilledIsMadeAgain() throws IOException, InterruptedException {
    duoka();
    age();
    write("cli/target/build-started", "");
    assertThat(duoka().output()).contains(BUILDING);
    age();
    assertThat(duoka().output()).doesNotContain(BUILDING);
  }

  /** Two builds at a time would write over each other; the second start finds the program built. */
  @Test
  void ofTwoFirstStartsOneBuildsAndTheOtherWaits() throws Exception {
    script(
        "bin/mvn",
        "mkdir cli/target/alone || exit 1; echo BUILT; : > began;"
            + " while [ ! -e go-on ]; do sleep 0.05; done; rmdir cli/target/alone;"
            + " mkdir -p cli/target/app/lib; : > cli/target/app/lib/duoka-cli-1.jar");
    try (ExecutorService both = Executors.newFixedThreadPool(2)) {
      Future<Command> first = both.submit(this::duoka);
      while (!Files.exists(folder.resolve("began"))) {
        Thread.sleep(20);
      }
      Future<Command> second = both.submit(this::duoka);
      write("go-on", "");
      assertThat(first.get().exitStatus()).isZero();
      assertThat(second.get().exitStatus()).isZero();
      assertThat(first.get().output() + second.get().output()).containsOnlyOnce(BUILDING);
    }
  }

  @Test
  void aStartDuringABuildWaitsForItAndSaysSo() throws Exception {
    Path lock = folder.resolve("cli/target/build-lock");
    Files.createDirectories(lock.getParent());
    Process holder =
        new ProcessBuilder("flock", lock.toString(), "sh", "-c", "echo held; read _").start();
    try (BufferedReader output = holder.inputReader()) {
      assertThat(output.readLine()).isEqualTo("held");
      Path errors = folder.resolve("errors");
      ProcessBuilder start = new ProcessBuilder(folder.resolve("duoka").toString());
      start.environment().put("PATH", folder.resolve("bin") + ":/usr/bin:/bin");
      start.environment().put("DUOKA_JAVA_HOME", folder.resolve("jdk").toString());
      Process waiting = start.redirectError(errors.toFile()).start();
      while (!Files.readString(errors).contains("waiting for it")) {
        assertThat(waiting.isAlive()).isTrue();
        Thread.sleep(20);
      }
      assertThat(Files.readString(errors)).contains("Another process builds duoka in " + folder);
      holder.outputWriter().append("\n").close();
      assertThat(waiting.waitFor()).isZero();
      assertThat(Files.readString(errors)).contains("Building duoka");
    }
  }

  @Test
  void aLocaleThatKnowsAsciiAloneGivesWayToUtf8() throws IOException, InterruptedException {
    script("jdk/bin/java", "echo \"locale ${LC_ALL:-}\"");
    duoka();
    age();
    for (Map<String, String> posix :
        List.of(
            Map.of("LC_ALL", "POSIX"),
            Map.of("LC_ALL", "C"),
            Map.of("LANG", "C"),
            Map.of("LC_CTYPE", "POSIX", "LANG", "C.UTF-8"),
            Map.of("LANG", "xx_YY.UTF-8"),
            Map.<String, String>of())) {
      assertThat(start(posix).output()).as("%s", posix).contains("locale C.UTF-8");
    }
    assertThat(start(Map.of("LANG", "C.UTF-8")).output()).contains("locale \n");
  }

  private Command start(Map<String, String> more) throws IOException, InterruptedException {
    Map<String, String> environment = new HashMap<>(more);
    environment.put("PATH", folder.resolve("bin") + ":/usr/bin:/bin");
    environment.put("DUOKA_JAVA_HOME", folder.resolve("jdk").toString());
    return Command.run(
        Path.of("/"), environment, List.of(folder.resolve("duoka").toString(), "--some-option"));
  }

  @Test
  void theVersionNeedsNoBuild() throws IOException, InterruptedException {
    write("pom.xml", "<project>\n  <artifactId>duoka</artifactId>\n  <version>7.8</version>\n");
    Map<String, String> environment =
        Map.of(
            "PATH",
            folder.resolve("bin") + ":/usr/bin:/bin",
            "DUOKA_JAVA_HOME",
            folder.resolve("jdk").toString());
    Command run =
        Command.run(
            Path.of("/"), environment, List.of(folder.resolve("duoka").toString(), "--version"));
    assertThat(run.output()).isEqualTo("duoka 7.8\nJava 25.0.1\n");
    assertThat(folder.resolve("cli/target")).doesNotExist();
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
