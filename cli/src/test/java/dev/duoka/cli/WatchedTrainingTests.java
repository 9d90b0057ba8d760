package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.PageAccess;
import dev.duoka.operations.watch.RunPage;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run takes its steps whatever becomes of its page and of the disk. */
@Timeout(300)
final class WatchedTrainingTests {
  private static final int STEPS = 150;

  @TempDir Path temporary;
  private StateFolder state;
  private Path file;
  private Path run;
  private Optional<ProcessIdentity> page = Optional.empty();
  private final ProgramRun program = new ProgramRun();

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(temporary.resolve("corpus"));
    for (int document = 0; document < 20; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    run = Files.createDirectories(temporary.resolve("run"));
    state = new StateFolder(temporary.resolve("state"));
    file =
        Files.writeString(
            temporary.resolve("small.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, validation_fraction: 0.2, cache: %s}
            training: {tokens_per_step: 32, micro_batch: 2, steps: %d}
            checkpoint: {every_steps: 0}
            validation: {every_steps: 0}
            device: cpu
            threads: 1
            """
                .formatted(corpus, temporary.resolve("cache"), STEPS));
  }

  @AfterEach
  void endPage() throws InterruptedException {
    LeftProcesses.end(temporary);
  }

  /** Opens the run's page, as a browser does that listens. */
  private InputStream listen() throws IOException, InterruptedException {
    new RunRegistry(state).add(run, 0, Optional.of(ProcessIdentity.own()));
    RunPage opened = RunPage.of(run, state, PageAccess.LOOPBACK);
    page =
        Optional.of(
            ProcessIdentity.of(
                Json.parse(opened.file().resolveSibling("server.json"), ErrorCode.FORMAT)));
    String[] parts = opened.address().split("#token=|&run=");
    HttpResponse<InputStream> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(parts[0] + "api/events?run=" + parts[2]))
                    .header("Authorization", "Bearer " + parts[1])
                    .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    assertThat(answer.statusCode()).isEqualTo(200);
    return answer.body();
  }

  private void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, "" + page.orElseThrow().pid()).start();
    assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  private void train(int steps) throws IOException {
    assertThat(
            program.run(
                "train", file.toString(), "--run-dir", run.toString(), "--max-steps", "" + steps))
        .as(program.err().toString())
        .isZero();
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(steps);
  }

  @Test
  void aStoppedPageHoldsNoStepUp() throws Exception {
    try (InputStream events = listen()) {
      assertThat(new String(events.readNBytes(6), StandardCharsets.UTF_8)).isEqualTo("data: ");
      signal("STOP");
      train(20);
      signal("CONT");
      StringBuilder said = new StringBuilder();
      byte[] block = new byte[4096];
      while (said.indexOf("\"last_step\":20") < 0) {
        int read = events.read(block);
        assertThat(read).as(said.toString()).isPositive();
        said.append(new String(block, 0, read, StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void aDeadPageHoldsNoStepUp() throws Exception {
    try (InputStream events = listen()) {
      assertThat(events.read()).isEqualTo('d');
      signal("KILL");
      train(20);
    }
  }

  /** Files have an end here as on a disk that is full: no checkpoint fits, and few lines do. */
  @Test
  void aFullDiskCostsNoStep() throws Exception {
    train(2); // what comes from a cache is there
    Path second = temporary.resolve("second");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "ulimit -f 128; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path", "")),
                "dev.duoka.cli.Main",
                "train",
                file.toString(),
                "--no-watch",
                "--run-dir",
                second.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    assertThat(said)
        .contains("cannot write metrics.jsonl: ", "The run goes on")
        .contains("after " + STEPS + " steps");
    List<String> lines = Files.readAllLines(second.resolve("metrics.jsonl"));
    assertThat(lines).hasSizeBetween(20, STEPS - 1).allMatch(line -> line.endsWith("}"));
  }
}
