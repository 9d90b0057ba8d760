package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A supervised run of two ranks, each in a process of its own, meets faults. */
@Timeout(300)
final class SupervisedTrainingTests {
  @TempDir Path temporary;
  private Path file;
  private SupervisionFolder folder;
  private @Nullable Process terminal;
  private Path output;

  /** Beyond that of the tests. */
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(temporary.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    file =
        Files.writeString(
            temporary.resolve("small.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, validation_fraction: 0.2, cache: %s}
            training: {tokens_per_step: 64, micro_batch: 2, steps: 100000}
            parallel: {data: 2}
            launch: {ranks_per_process: 1}
            checkpoint: {every_steps: 25}
            validation: {every_steps: 0}
            logging: {every_steps: 1}
            device: cpu
            threads: 1
            """
                .formatted(corpus, temporary.resolve("cache")));
    folder = new SupervisionFolder(temporary.resolve("run"));
    output = temporary.resolve("output");
  }

  private Process terminal() {
    return Objects.requireNonNull(terminal);
  }

  @AfterEach
  void endAll() throws InterruptedException {
    LeftProcesses.end(temporary);
  }

  private void start(String... more) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path", "")),
                "dev.duoka.cli.Main",
                "train",
                file.toString(),
                "--supervise",
                "--no-watch",
                "--run-dir",
                folder.run().toString()));
    words.addAll(Arrays.asList(more));
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("XDG_STATE_HOME", temporary.resolve("state").toString());
    builder.environment().putAll(environment);
    terminal = builder.start();
  }

  private void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(50);
      if (!terminal().isAlive()) {
        assertThat(condition.getAsBoolean()).as("the run has ended: %s", text()).isTrue();
      }
    }
  }

  private String text() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private boolean hasStep(long step) {
    return RunProgress.of(folder.run()).step() >= step;
  }

  private boolean hasEvent(String event) {
    return event(event).isPresent();
  }

  private Optional<RunRecord.Entry> event(String event) {
    return new RunRecord(folder)
        .entries().stream().filter(entry -> entry.event().equals(event)).findFirst();
  }

  private ProcessIdentity worker(int number) {
    return folder.workers(folder.attempts()).get(number).identity().orElseThrow();
  }

  private static void send(String signal, long pid) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + signal, String.valueOf(pid)).start();
    assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  private List<JsonNode> losses() throws IOException {
    List<JsonNode> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.run().resolve("metrics.jsonl"))) {
      losses.add(
          Json.parse(line.getBytes(StandardCharsets.UTF_8), "metrics", ErrorCode.FORMAT)
              .path("loss"));
    }
    return losses;
  }

  /** One rank's process is killed: both are started again, and the losses are the same. */
  @Test
  void aKilledRankCostsNoStep() throws Exception {
    start("--max-steps", "60", "--set", "checkpoint.every_steps=15");
    assertThat(terminal().waitFor(200, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isZero();
    List<JsonNode> undisturbed = losses();
    folder = new SupervisionFolder(temporary.resolve("killed"));
    start("--max-steps", "60", "--set", "checkpoint.every_steps=15");
    until(() -> RunProgress.newestCheckpoint(folder.run()).orElse(0) >= 30);
    worker(1).kill();
    assertThat(terminal().waitFor(200, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isZero();
    assertThat(event("restart").orElseThrow().text())
        .contains("worker 1 was ended by signal 9", "from the checkpoint of step ");
    assertThat(losses()).isEqualTo(undisturbed).hasSize(60);
    assertThat(text()).contains("Ended by --max-steps after 60 of 100000 steps");
  }

  /** One rank's process is stopped: it is named, and the run goes on without being asked. */
  @Test
  void aStoppedRankIsNamedAndTheRunGoesOn() throws Exception {
    start("--hang-seconds", "2");
    until(() -> hasStep(120));
    long stopped = worker(1).pid();
    send("STOP", stopped);
    until(() -> hasEvent("hang"));
    assertThat(event("hang").orElseThrow().text())
        .startsWith("rank 1 ")
        .contains("its process " + stopped + " is stopped (SIGSTOP)");
    until(() -> hasEvent("restart") && folder.attempts() == 2);
    long from = RunProgress.newestCheckpoint(folder.run()).orElseThrow();
    until(() -> hasStep(from + 30));
    assertThat(text()).contains("rank 1 ", "is stopped (SIGSTOP)", "resuming after step ");
  }

  /** Of both limits the supervisor's is the shorter: it names the hang and ends the attempt. */
  @Test
  void aHangIsNamedBeforeALongerTimeoutEndsTheAttempt() throws Exception {
    start("--hang-seconds", "2", "--set", "launch.timeout=200");
    until(() -> hasStep(120));
    send("STOP", worker(1).pid());
    until(() -> hasEvent("restart"));
    assertThat(event("hang").orElseThrow().text()).startsWith("rank 1 ");
    assertThat(event("restart").orElseThrow().text())
        .startsWith("the run hangs: rank 1 ")
        .doesNotContain("has waited");
  }

  /** Of both limits that of the run file is the shorter: a rank that is only slow ends it, too. */
  @Test
  void aShorterTimeoutEndsTheAttemptBeforeAHangIsNoticed() throws Exception {
    start("--hang-seconds", "200", "--set", "launch.timeout=15");
    until(() -> hasStep(120)); // before, 30 seconds are a hang
    send("STOP", worker(1).pid());
    until(() -> hasEvent("restart"));
    assertThat(event("restart").orElseThrow().text())
        .contains("rank 0 ", " has waited 15.0 s for rank 1")
        .doesNotContain("the run hangs");
    assertThat(hasEvent("hang")).as(text()).isFalse();
  }

  /** The terminal and the supervisor are killed: the run goes on, and can be attached to. */
  @Test
  void theWorkersNeedNeitherTerminalNorSupervisor() throws Exception {
    start();
    until(() -> hasStep(5));
    ProcessIdentity supervisor = RunStatus.supervisor(folder).orElseThrow();
    terminal().destroyForcibly().waitFor();
    supervisor.kill();
    long step = RunProgress.of(folder.run()).step();
    while (!hasStep(step + 20)) {
      Thread.sleep(50);
    }
    assertThat(worker(0).isAlive()).isTrue();
    ProcessBuilder attach =
        new ProcessBuilder(attachCommand())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    attach.environment().put("XDG_STATE_HOME", temporary.resolve("state").toString());
    terminal = attach.start();
    until(() -> hasEvent("adopted"));
    until(() -> text().contains("step "));
    send("TERM", worker(0).pid()); // as Slurm does, which knows all processes of a step
    send("TERM", terminal().pid());
    assertThat(terminal().waitFor(100, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isEqualTo(ExitStatus.SAVED);
    assertThat(text()).contains("SIGTERM: saved");
    assertThat(folder.attempts()).isEqualTo(1);
  }

  /** While the supervisor is stopped the workers print 10 MB, and train on as they print. */
  @Test
  void aStoppedSupervisorHoldsNoWorkerUp() throws Exception {
    start("--set", "checkpoint.every_steps=0");
    until(() -> hasStep(5));
    ProcessIdentity supervisor = RunStatus.supervisor(folder).orElseThrow();
    send("STOP", supervisor.pid());
    Path printed = folder.workers(1).getFirst().standardOutput();
    long step = RunProgress.of(folder.run()).step();
    long size = Files.size(printed);
    long worker = worker(0).pid();
    while (Files.size(printed) < size + 10_000_000) {
      send("QUIT", worker); // a JVM prints its threads
      assertThat(worker(0).isAlive()).isTrue();
    }
    long after = RunProgress.of(folder.run()).step();
    until(() -> hasStep(after + 50));
    assertThat(after).isGreaterThan(step);
    assertThat(supervisor.state()).contains('T');
    send("CONT", supervisor.pid());
    send("TERM", terminal().pid());
    assertThat(terminal().waitFor(100, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isEqualTo(ExitStatus.SAVED);
    assertThat(hasEvent("hang")).isFalse();
    assertThat(folder.attempts()).isEqualTo(1);
  }

  /** A rank that never comes back from native code is named with the call that it is in. */
  @Test
  void aRankThatLoopsInNativeCodeIsNamed() throws Exception {
    Path fault = preload("FAULT_LOOP");
    start("--hang-seconds", "2");
    until(() -> hasStep(120));
    Files.createFile(fault);
    until(() -> hasEvent("hang"));
    assertThat(event("hang").orElseThrow().text())
        .startsWith("rank 1 ")
        .contains("dev.duoka.", "rank 0 waits in ");
  }

  /** Nothing gets from one process to the other any more. */
  @Test
  void aNetworkThatCarriesNothingIsNamed() throws Exception {
    Path fault = preload("FAULT_CUT");
    start("--hang-seconds", "2");
    until(() -> hasStep(120));
    Files.createFile(fault);
    until(() -> hasEvent("hang"));
    assertThat(event("hang").orElseThrow().text())
        .contains("the network between their processes carries nothing")
        .containsPattern("ranks? .*0.* waits? in ");
  }

  /** The clock jumps, the disk fills up and has room again, and then is slow: no step is lost. */
  @Test
  void neitherClockNorDiskEndsARun() throws Exception {
    Path clock = preload("FAULT_CLOCK");
    Path full = preload("FAULT_FULL");
    Path slow = preload("FAULT_SLOW");
    start("--hang-seconds", "2");
    until(() -> RunProgress.newestCheckpoint(folder.run()).orElse(0) >= 100);
    Files.createFile(clock);
    long jumped = RunProgress.of(folder.run()).step();
    until(() -> hasStep(jumped + 10));
    assertThat(met(clock)).as("a time of day that jumped").exists();
    Files.createFile(full);
    long filled = stepAtWork();
    until(() -> stepAtWork() >= filled + 35);
    long saved = RunProgress.newestCheckpoint(folder.run()).orElseThrow();
    assertThat(saved).as("what no disk could take").isLessThan(filled + 25);
    Files.delete(full);
    until(() -> RunProgress.newestCheckpoint(folder.run()).orElseThrow() > saved);
    Files.createFile(slow);
    until(() -> Files.exists(met(slow)));
    long before = RunProgress.newestCheckpoint(folder.run()).orElseThrow();
    until(() -> RunProgress.newestCheckpoint(folder.run()).orElseThrow() > before);
    Files.delete(slow);
    send("TERM", terminal().pid());
    assertThat(terminal().waitFor(100, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isEqualTo(ExitStatus.SAVED);
    assertThat(hasEvent("hang")).as(text()).isFalse();
    assertThat(folder.attempts()).isEqualTo(1);
    long steps = RunProgress.newestCheckpoint(folder.run()).orElseThrow();
    assertThat(losses()).as("the lines of all steps").hasSize((int) steps);
  }

  /** What a process leaves that meets a fault. */
  private static Path met(Path fault) {
    return fault.resolveSibling(fault.getFileName() + ".met");
  }

  /** Where the first rank is, by its heartbeat, which needs no room. */
  private long stepAtWork() {
    return Heartbeat.read(folder.run().resolve("rank-0.heartbeat")).orElseThrow().step();
  }

  /** A rate that makes the weights too large for fp32: it would come again. */
  @Test
  void aLossThatIsNoNumberEndsTheRun() throws Exception {
    start(
        "--set",
        "optimizer.learning_rate=10",
        "--set",
        "optimizer.weight_decay=1",
        "--set",
        "schedule.warmup_steps=0");
    assertThat(terminal().waitFor(100, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isEqualTo(ExitStatus.DO_NOT_REQUEUE);
    assertThat(text()).contains(" gave a loss of ", "NaN");
    assertThat(hasEvent("restart")).isFalse();
    assertThat(folder.attempts()).isEqualTo(1);
  }

  /**
   * Ranks have room for what one of their remedies was counted to take, and not for what comes
   * before it. What takes less of the step alone is gone over to in place, by both processes; what
   * shares out the states ends the worker, with just that, and the next one begins with it.
   */
  @Test
  void whatWorkersHaveCountedToFitIsTakenAndNothingElse() throws Exception {
    String[] settings = {
      "--max-steps=1",
      "--set=model.overrides={max_position_embeddings: 1280}",
      "--set=data.sequence_length=1280",
      "--set=training.tokens_per_step=2560",
      "--set=training.micro_batch=1",
      "--set=checkpoint.every_steps=0"
    };
    List<String> alone =
        new ArrayList<>(List.of("train", file.toString(), "--no-supervise", "--run-dir"));
    alone.add(folder.run().toString());
    alone.addAll(List.of(settings));
    alone.addAll(List.of("--set=launch.ranks_per_process=2", "--set=training.recompute=full"));
    ProgramRun program = new ProgramRun();
    assertThat(program.run(alone.toArray(String[]::new))).as("%s", program.err()).isZero();
    double undisturbed = losses().getFirst().asDouble();
    Map<String, Long> full =
        PredictionFile.parse(
                Files.readAllBytes(folder.run().resolve(PredictionFile.NAME)), "prediction")
            .prediction()
            .ranks()
            .getFirst();
    long all = full.values().stream().mapToLong(Long::longValue).sum();
    long quarter = full.getOrDefault("optimizer", 0L) / 4; // two ranks can do without two of them

    runWithin(all + quarter, "in-place", settings);
    assertThat(folder.attempts()).isEqualTo(1);
    assertThat(remedy())
        .startsWith("memory ran out in step 1 (")
        .contains("it is repeated, and from now on recompute is full in place of none");
    assertThat(losses().getFirst().asDouble()).isCloseTo(undisturbed, within(1e-4));

    List<String> one = new ArrayList<>(List.of(settings));
    one.add("--set=launch.ranks_per_process=2");
    runWithin(all - quarter, "anew", one.toArray(String[]::new));
    assertThat(folder.attempts()).isEqualTo(2);
    assertThat(remedy())
        .matches("worker 0 failed: rank \\d of 2 cannot allocate .*")
        .contains("with training.micro_batch=1, training.recompute=full, parallel.zero=1: the tok");
    assertThat(Files.readString(folder.run().resolve("run.yaml")))
        .contains("recompute: full", "zero: 1");
    assertThat(losses()).hasSize(1);
    assertThat(losses().getFirst().asDouble()).isCloseTo(undisturbed, within(1e-4));
  }

  /** Starts a run whose ranks may hold so many bytes each, and waits for its good end. */
  private void runWithin(long bytes, String name, String... settings) throws Exception {
    folder = new SupervisionFolder(temporary.resolve(name));
    environment.put("JAVA_TOOL_OPTIONS", "-Dduoka.rankMemory=" + bytes);
    start(settings);
    assertThat(terminal().waitFor(200, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal().exitValue()).as(text()).isZero();
  }

  /** What the record says of the only remedy. */
  private String remedy() {
    List<RunRecord.Entry> remedies =
        new RunRecord(folder)
            .entries().stream().filter(entry -> entry.event().equals("remedy")).toList();
    assertThat(remedies).hasSize(1);
    return remedies.getFirst().text();
  }

  /** Lets rank 1 meet a fault when the returned file comes into being. */
  private Path preload(String fault) throws Exception {
    Path library = temporary.resolve("libfaults.so");
    Process gcc;
    try {
      gcc =
          new ProcessBuilder(
                  "gcc",
                  "-shared",
                  "-fPIC",
                  "-o",
                  library.toString(),
                  Path.of(
                          Objects.requireNonNull(
                                  SupervisedTrainingTests.class.getResource("/faults.c"))
                              .toURI())
                      .toString())
              .inheritIO()
              .start();
    } catch (IOException e) {
      return Assumptions.abort("no gcc on PATH: faults in native code are skipped");
    }
    assertThat(gcc.waitFor()).isZero();
    Path file = temporary.resolve(fault);
    environment.put("LD_PRELOAD", library.toString());
    environment.put(fault, file.toString());
    return file;
  }

  private List<String> attachCommand() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        String.join(
            File.pathSeparator,
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", "")),
        "dev.duoka.cli.Main",
        "attach",
        folder.run().toString());
  }
}
