package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.yaml.YamlData;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunProgress;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What Compose would start, by the compose file and the Dockerfile, starts a run. There is no
 * container: the file is read as Compose reads it, and what it mounts has another folder's name.
 */
@Timeout(200)
final class ComposeRunTests {
  /** A variable of Compose, with what it is where it is not set. */
  private static final Pattern VARIABLE = Pattern.compile("\\$(\\$|\\{(\\w+):-([^}]*)\\})");

  @TempDir Path temporary;
  private Path place;
  private Path file;
  private Path runs;
  private JsonNode service;
  private String dockerfile;
  private @Nullable Process process;

  @BeforeEach
  void writeFiles() throws IOException {
    place = Files.createDirectories(temporary.resolve("it's \"$HOME\" $(touch pwned)"));
    Path corpus = Files.createDirectories(place.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    file =
        Files.writeString(
            place.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: ["%s"], sequence_length: 16}
            training: {tokens_per_step: 64, micro_batch: 2, steps: 100000}
            checkpoint: {every_steps: 0}
            validation: {every_steps: 0}
            device: cpu
            threads: 1
            """
                .formatted(corpus.toString().replace("\"", "\\\"")));
    Path box = temporary.resolve("box");
    ProgramRun program = new ProgramRun();
    int written =
        program.run(
            "container",
            file.toString(),
            "--compose",
            "--gpus",
            "0",
            "--driver",
            "580.95.05",
            "--out",
            box.toString());
    assertThat(written).as(program.err().toString()).isZero();
    JsonNode services = YamlData.file(box.resolve("compose.yaml")).node("services").orElseThrow();
    service = interpolated(services.path("train"));
    dockerfile = Files.readString(box.resolve("Dockerfile"));
    runs = Files.createDirectories(temporary.resolve("runs of the host"));
  }

  @AfterEach
  void end() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  /** As Compose does with all values before it looks at them; any other dollar is an error. */
  private static JsonNode interpolated(JsonNode node) {
    if (node.isString()) {
      String text = node.asString();
      Matcher variables = VARIABLE.matcher(text);
      assertThat(variables.replaceAll("")).as("Compose refuses %s", text).doesNotContain("$");
      return Json.object()
          .put(
              "text",
              variables.replaceAll(
                  found ->
                      Matcher.quoteReplacement(found.group(1).equals("$") ? "$" : found.group(3))))
          .path("text");
    }
    if (node.isArray()) {
      var list = Json.object().putArray("list");
      node.forEach(each -> list.add(interpolated(each)));
      return list;
    }
    if (node.isObject()) {
      ObjectNode object = Json.object();
      node.properties().forEach(each -> object.set(each.getKey(), interpolated(each.getValue())));
      return object;
    }
    return node;
  }

  private static List<String> words(JsonNode list) {
    List<String> words = new ArrayList<>();
    list.forEach(word -> words.add(word.asString()));
    return words;
  }

  /** What stands behind an instruction of the Dockerfile. */
  private Stream<String> instructions(String name) {
    return dockerfile
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .map(line -> line.substring(name.length() + 1));
  }

  /** A path of the container, here. */
  private String here(String text) {
    return text.replaceFirst("^/runs(?=/|$)", Matcher.quoteReplacement(runs.toString()))
        .replaceFirst("^/cache(?=/|$)", Matcher.quoteReplacement(temporary + "/cache"));
  }

  private Map<String, String> mounts() {
    Map<String, String> mounts = new HashMap<>();
    for (JsonNode volume : service.path("volumes")) {
      if (volume.isObject()) {
        mounts.put(volume.path("target").asString(), volume.path("source").asString());
      }
    }
    return mounts;
  }

  private List<String> inputs() throws IOException {
    try (Stream<Path> files = Files.walk(place)) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  private void program(Path bin) throws IOException {
    Path program =
        Files.writeString(
            bin.resolve("duoka"),
            "#!/bin/sh\nexec '%s' -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
                    .formatted(Path.of(System.getProperty("java.home"), "bin", "java"))
                + " --enable-native-access=ALL-UNNAMED -cp '%s' dev.duoka.cli.Main \"$@\"\n"
                    .formatted(
                        String.join(
                            File.pathSeparator,
                            System.getProperty("jdk.module.path", ""),
                            System.getProperty("java.class.path", ""))));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
  }

  /** It trains, is healthy, and saves when Compose stops it. */
  @Test
  void theCommandTrainsAndSavesWhenItIsStopped() throws Exception {
    List<String> before = inputs();
    for (Map.Entry<String, String> mount : mounts().entrySet()) {
      if (!mount.getKey().equals("/runs")) {
        assertThat(mount.getValue()).as("the same inside and outside").isEqualTo(mount.getKey());
        assertThat(Path.of(mount.getValue())).exists();
      }
    }
    assertThat(mounts()).containsKeys("/runs", file.toString(), place.resolve("corpus").toString());
    String entry = instructions("ENTRYPOINT").findFirst().orElseThrow();
    List<String> command =
        new ArrayList<>(
            words(
                Json.parse(
                        ("{\"entry\": " + entry + "}").getBytes(StandardCharsets.UTF_8),
                        "the entry point",
                        ErrorCode.FORMAT)
                    .path("entry")));
    words(service.path("command")).forEach(word -> command.add(here(word)));
    Path bin = Files.createDirectories(temporary.resolve("bin"));
    program(bin);
    command.set(0, bin.resolve(command.getFirst()).toString());
    Path output = temporary.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command) // without any shell, as a container's first process
            .directory(Path.of(service.path("working_dir").asString()).toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    instructions("ENV")
        .map(line -> line.split("=", 2))
        .forEach(pair -> builder.environment().put(pair[0], here(pair[1])));
    builder.environment().put("XDG_STATE_HOME", temporary.resolve("state").toString());
    builder.environment().put("JDK_JAVA_OPTIONS", "-Dduoka.watch=false");
    Process started = builder.start();
    process = started;
    Path run = runs.resolve("run");
    while (RunProgress.of(run).step() < 3) {
      assertThat(started.isAlive()).as(Files.readString(output)).isTrue();
      Thread.sleep(50);
    }
    List<String> test = words(service.path("healthcheck").path("test"));
    assertThat(test).hasSize(2).first().isEqualTo("CMD-SHELL");
    Process health =
        new ProcessBuilder("sh", "-c", test.get(1).replace("/runs", "'" + runs + "'")).start();
    assertThat(health.waitFor()).isZero();
    started.destroy(); // SIGTERM, as of "docker compose stop"
    String grace = service.path("stop_grace_period").asString().replace("s", "");
    assertThat(started.waitFor(Long.parseLong(grace), TimeUnit.SECONDS)).isTrue();
    assertThat(started.exitValue()).as(Files.readString(output)).isEqualTo(ExitStatus.SAVED);
    assertThat(RunProgress.newestCheckpoint(run)).isPresent();
    assertThat(temporary.resolve("cache")).as("tokens are in the volume").isNotEmptyDirectory();
    assertThat(inputs()).as("nothing of the host but its runs is written").isEqualTo(before);
  }
}
