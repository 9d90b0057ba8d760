package dev.duoka.operations.supervise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardHealth;
import dev.duoka.operations.control.ControlClient;
import dev.duoka.operations.control.StopOrder;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.FewerCards;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.NodePlace;
import dev.duoka.operations.run.NotifyTarget;
import dev.duoka.operations.run.RemedyPlan;
import dev.duoka.operations.run.RunEnd;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.watch.TopFrame;
import dev.duoka.operations.watch.WatchedRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Supervisors of workers that are shell scripts, which save by making a folder. */
@Timeout(120)
final class SupervisorTests {
  /** Steps for ever; saves and ends on SIGTERM. */
  private static final String OBEDIENT =
      "trap 'mkdir -p checkpoints/step-00000009; exit 75' TERM; echo ready; "
          + "while true; do sleep 0.05; done";

  @TempDir Path temporary;
  private SupervisionFolder folder;
  private StateFolder state;
  private List<List<String>> goBacks = List.of();
  private List<FewerCards> fewer = List.of();
  private List<String> cards = List.of();

  @BeforeEach
  void makeFolders() throws IOException {
    Path run = Files.createDirectories(temporary.resolve("run"));
    folder = new SupervisionFolder(run);
    Files.createDirectories(folder.path());
    state = new StateFolder(Files.createDirectories(temporary.resolve("state")));
  }

  @AfterEach
  void endWorkers() {
    for (int attempt = 1; attempt <= folder.attempts(); attempt++) {
      folder.workers(attempt).stream()
          .flatMap(worker -> worker.identity().stream())
          .forEach(ProcessIdentity::kill);
    }
  }

  private void launch(String script, int workers, OptionalInt grace) {
    new LaunchSpec(
            List.of("sh", "-c", script, "worker"),
            folder.run(),
            NodePlace.ALONE,
            workers,
            workers,
            3,
            grace,
            5,
            30,
            new RemedyPlan(
                List.of(
                    List.of("training.micro_batch=2"),
                    List.of("training.micro_batch=1"),
                    List.of("training.micro_batch=1", "training.recompute=full")),
                List.of(
                    List.of("training.micro_batch=1", "parallel.zero=1"),
                    List.of("training.micro_batch=4", "parallel.zero=1")),
                true,
                goBacks,
                fewer),
            cards,
            false,
            new NotifyTarget(
                Optional.of("echo \"$DUOKA_EVENT: $DUOKA_TEXT\" >>\"$DUOKA_RUN\"/told"),
                Optional.empty(),
                "plain"))
        .write(folder);
  }

  private CompletableFuture<Optional<RunEnd>> supervise(StopState stop) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return Supervisor.run(folder, state, stop);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        },
        task -> Thread.ofPlatform().daemon().start(task));
  }

  private RunEnd run(String script) throws Exception {
    launch(script, 1, OptionalInt.empty());
    return supervise(new StopState()).get(60, TimeUnit.SECONDS).orElseThrow();
  }

  private static void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(20);
    }
  }

  private boolean isReady(int attempt) {
    try {
      return folder.workers(attempt).stream().anyMatch(it -> it.identity().isPresent())
          && Files.readString(folder.workers(attempt).getFirst().standardOutput())
              .contains("ready");
    } catch (IOException e) {
      return false;
    }
  }

  private List<String> events() {
    return new RunRecord(folder).entries().stream().map(RunRecord.Entry::event).toList();
  }

  private RunStatus status() {
    return RunStatus.of(new RunRegistry.Entry(folder.run(), Instant.EPOCH, 0, Optional.empty()));
  }

  @Test
  void aRunThatEndsIsDone() throws Exception {
    assertThat(run("echo done")).isEqualTo(new RunEnd(ExitStatus.DONE, false, "complete"));
    assertThat(events()).containsExactly("started");
    assertThat(status().state()).isEqualTo(RunStatus.State.DONE);
  }

  /** What the trainer says last tells a session that was to end early from a run that is done. */
  @Test
  void aRunThatWasEndedByItsNumberOfStepsIsNotDone() throws Exception {
    String how = "stopped by --max-steps after step 5 of 20; it goes on";
    RunEnd end = run("echo 'now ended: " + how + "' > '" + folder.run().resolve("run.log") + "'");
    assertThat(end).isEqualTo(new RunEnd(ExitStatus.DONE, true, how));
    assertThat(events()).containsExactly("started", "ended");
    assertThat(status().state()).isEqualTo(RunStatus.State.STOPPED);
    assertThat(status().reason()).isEqualTo(how);
  }

  @Test
  void aWorkerGetsItsPlaceAndASessionOfItsOwn() throws Exception {
    run("echo \"$DUOKA_RANK of $DUOKA_WORLD_SIZE\"; cut -d' ' -f6 /proc/$$/stat");
    List<String> lines = Files.readAllLines(folder.workers(1).getFirst().standardOutput());
    assertThat(lines.getFirst()).isEqualTo("0 of 1");
    String own = Files.readString(Path.of("/proc/self/stat"));
    String session = own.substring(own.lastIndexOf(')') + 2).split(" ")[3];
    assertThat(lines.get(1)).isNotEqualTo(session);
  }

  @Test
  void whatIsWrongIsNotStartedAgain() throws Exception {
    RunEnd end =
        run("echo '{\"code\":\"CONFIG\",\"message\":\"no\"}' >\"$DUOKA_FAILURE_FILE\"; exit 2");
    assertThat(end.status()).isEqualTo(ExitStatus.WRONG);
    assertThat(end.reason()).contains("worker 0 failed: no");
    assertThat(folder.attempts()).isEqualTo(1);
  }

  /** Killed at its first step, then at each step after a checkpoint: it goes on, and resumes. */
  @Test
  void aKilledWorkerIsStartedAgainAsLongAsItGetsFurther() throws Exception {
    RunEnd end =
        run(
            "echo \"$@\"; n=$(ls supervision | grep -c attempt); [ $n = 4 ] && exit 0; "
                + "[ $n = 1 ] || mkdir -p checkpoints/step-0000000$n; kill -9 $$");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events())
        .containsExactly(
            "started", "restart", "started", "restart", "started", "restart", "started");
    assertThat(new RunRecord(folder).entries().get(1).text())
        .contains("ended by signal 9", "from its beginning (1 of 3)");
    assertThat(new RunRecord(folder).entries().get(3).text())
        .contains("from the checkpoint of step 2");
    assertThat(Files.readString(folder.workers(1).getFirst().standardOutput()))
        .doesNotContain("--resume");
    assertThat(Files.readString(folder.workers(3).getFirst().standardOutput()))
        .contains("--resume");
  }

  @Test
  void withoutProgressItIsStartedAgainOnce() throws Exception {
    RunEnd end = run("kill -9 $$");
    assertThat(end.status()).isEqualTo(ExitStatus.DO_NOT_REQUEUE);
    assertThat(end.reason()).contains("The same happened before without a checkpoint in between");
    assertThat(folder.attempts()).isEqualTo(2);
  }

  @Test
  void theBudgetIsKept() throws Exception {
    RunEnd end =
        run(
            "n=$(ls supervision | grep -c attempt); mkdir -p checkpoints/step-0000000$n; kill -9"
                + " $$");
    assertThat(end.status()).isEqualTo(ExitStatus.FAILED);
    assertThat(end.reason()).contains("3 times, which is its budget");
    assertThat(folder.attempts()).isEqualTo(4);
  }

  @Test
  void ordersBecomeStatuses() throws Exception {
    launch(OBEDIENT, 2, OptionalInt.empty());
    for (StopOrder order : StopOrder.values()) {
      int attempt = folder.attempts() + 1;
      CompletableFuture<Optional<RunEnd>> end = supervise(new StopState());
      until(() -> isReady(attempt));
      assertThat(status().state()).isEqualTo(RunStatus.State.RUNNING);
      new ControlClient(state, folder).stop(order);
      RunEnd ended = end.get(60, TimeUnit.SECONDS).orElseThrow();
      int expected =
          switch (order) {
            case INTERRUPT -> ExitStatus.INTERRUPTED;
            case TERMINATE -> ExitStatus.SAVED;
            case STOP -> ExitStatus.DO_NOT_REQUEUE;
          };
      assertThat(ended.status()).as(ended.reason()).isEqualTo(expected);
      assertThat(ended.reason()).endsWith(": saved");
      assertThat(status().state()).isEqualTo(RunStatus.State.STOPPED);
    }
  }

  @Test
  void aSecondOrderEndsAtOnce() throws Exception {
    launch("trap '' TERM; echo ready; while true; do sleep 0.05; done", 1, OptionalInt.empty());
    CompletableFuture<Optional<RunEnd>> end = supervise(new StopState());
    until(() -> isReady(1));
    ControlClient client = new ControlClient(state, folder);
    client.stop(StopOrder.INTERRUPT);
    client.endAtOnce();
    RunEnd ended = end.get(60, TimeUnit.SECONDS).orElseThrow();
    assertThat(ended.status()).isEqualTo(ExitStatus.INTERRUPTED);
    assertThat(ended.reason()).endsWith("not saved");
    assertThat(folder.workers(1).getFirst().identity().orElseThrow().isAlive()).isFalse();
  }

  @Test
  void aSaveThatDoesNotFitTheGraceIsNotBegun() throws Exception {
    Files.createDirectories(folder.run().resolve("checkpoints/step-00000005"));
    Files.writeString(
        folder.run().resolve("run.log"),
        "2026-01-01T00:00:00Z saved x/step-00000005 (1 GiB in 90.5 s)\n");
    launch(OBEDIENT, 1, OptionalInt.of(30));
    StopState stop = new StopState();
    CompletableFuture<Optional<RunEnd>> end = supervise(stop);
    until(() -> isReady(1));
    stop.stop(StopOrder.TERMINATE);
    RunEnd ended = end.get(60, TimeUnit.SECONDS).orElseThrow();
    assertThat(ended.status()).isEqualTo(ExitStatus.SAVED); // there is one to go on from
    assertThat(ended.reason()).contains("ended without saving; the newest checkpoint is whole");
    assertThat(new RunRecord(folder).entries().getLast().text())
        .contains("90.5 s, which does not fit into the 30 s");
    assertThat(folder.run().resolve("checkpoints/step-00000009")).doesNotExist();
  }

  @Test
  void oneSupervisorIsAdmitted() throws Exception {
    launch(OBEDIENT, 1, OptionalInt.empty());
    StopState stop = new StopState();
    CompletableFuture<Optional<RunEnd>> end = supervise(stop);
    until(() -> isReady(1));
    assertThat(supervise(new StopState()).get(60, TimeUnit.SECONDS)).isEmpty();
    stop.stop(StopOrder.STOP);
    assertThat(end.get(60, TimeUnit.SECONDS)).isPresent();
  }

  /** A worker that nobody watches is taken over, and its exit status is not lost. */
  @Test
  void aNewSupervisorTakesOver() throws Exception {
    launch(OBEDIENT, 1, OptionalInt.empty());
    Attempt left = new WorkerStart(folder).start(LaunchSpec.read(folder), 1, List.of(), false);
    until(() -> left.workers().getFirst().identity().isPresent() && isReady(1));
    long pid = left.workers().getFirst().identity().orElseThrow().pid();
    StopState stop = new StopState();
    CompletableFuture<Optional<RunEnd>> end = supervise(stop);
    until(() -> events().contains("adopted"));
    assertThat(ProcessHandle.of(pid)).isPresent();
    stop.stop(StopOrder.TERMINATE);
    assertThat(end.get(60, TimeUnit.SECONDS).orElseThrow())
        .isEqualTo(new RunEnd(ExitStatus.SAVED, true, "SIGTERM: saved"));
    assertThat(folder.attempts()).isEqualTo(1);
  }

  /** Out of memory until a micro-batch has one sequence; one remedy does not fit the run. */
  @Test
  void memoryThatRunsOutIsRemediedStepByStep() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in "
                + "*recompute*) exit 0;; "
                + "*micro_batch=1*) code=CONFIG;; "
                + "*) code=OUT_OF_MEMORY;; esac; "
                + "echo \"{\\\"code\\\":\\\"$code\\\","
                + "\\\"message\\\":\\\"training.micro_batch 1 fits not\\\"}\" "
                + ">\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events())
        .containsExactly("started", "remedy", "started", "remedy", "started", "remedy", "started");
    assertThat(new RunRecord(folder).entries().get(3).text())
        .contains("with training.micro_batch=1 in place of [training.micro_batch=2]");
  }

  /** A file that is gone since the first attempt is no matter of memory: no remedy is tried. */
  @Test
  void whatIsWrongBesidesARemedyEndsTheRun() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *micro_batch*) code=CONFIG; status=2;; *) code=OUT_OF_MEMORY;"
                + " status=1;; esac; echo"
                + " \"{\\\"code\\\":\\\"$code\\\",\\\"message\\\":\\\"data.sources: gone\\\"}\""
                + " >\"$DUOKA_FAILURE_FILE\"; exit $status");
    assertThat(end.status()).isEqualTo(2);
    assertThat(end.reason()).contains("data.sources: gone");
    assertThat(events()).containsExactly("started", "remedy", "started", "failed");
  }

  /** The worker has counted that half the micro-batch does not suffice. */
  @Test
  void whatAWorkerHasCountedToFitIsTakenAtOnce() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *recompute*) exit 0;; esac; "
                + "echo '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\",\"overrides\":"
                + "[\"training.micro_batch=1\",\"training.recompute=full\"]}' "
                + ">\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "remedy", "started");
  }

  /** What a worker knows to help outside of its steps is taken, and nothing else for it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void outsideOfStepsNothingIsTakenThatHelpsStepsAlone(boolean helps) throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *zero=1*) exit 0;; esac; "
                + "echo '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\",\"nothing_else\":true,"
                + "\"overrides\":["
                + (helps ? "\"training.micro_batch=4\",\"parallel.zero=1\"" : "")
                + "]}' >\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(events())
        .startsWith("started", helps ? "remedy" : "failed")
        .doesNotContain(helps ? "failed" : "remedy");
    assertThat(end.status() == 0).isEqualTo(helps);
  }

  /** What helps beside steps comes first; steps that take too much afterwards are helped, too. */
  @Test
  void stepsAreHelpedAfterWhatIsBesideThem() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *micro_batch=1*) exit 0;; *zero=1*) echo"
                + " '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\","
                + "\"overrides\":[\"training.micro_batch=1\"]}';;"
                + " *) echo"
                + " '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\",\"nothing_else\":true,"
                + "\"overrides\":[\"training.micro_batch=4\",\"parallel.zero=1\"]}';;"
                + " esac >\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "remedy", "started", "remedy", "started");
  }

  /**
   * A worker that has split its micro-batches by itself, and cannot validate without a new start.
   */
  @Test
  void whatIsInUseIsStartedWithWhereAWorkerSaysSo() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *micro_batch=1*) exit 0;; esac; "
                + "echo '{\"overrides\":[\"training.micro_batch=1\"],\"text\":\"repeated\"}' "
                + ">\"$DUOKA_REMEDY_FILE\"; sleep 1; "
                + "echo '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\",\"nothing_else\":true,"
                + "\"overrides\":[\"training.micro_batch=1\"]}' >\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "remedy", "remedy", "started");
  }

  /** A worker that goes on with half the micro-batch, and is then killed. */
  @Test
  void whatAWorkerHasChangedByItselfIsInTheRecordAndStays() throws Exception {
    RunEnd end =
        run(
            "case \"$*\" in *micro_batch=1*) exit 0;; esac; "
                + "echo '{\"overrides\":[\"training.micro_batch=1\"],\"text\":\"repeated\"}' "
                + ">\"$DUOKA_REMEDY_FILE\"; kill -9 $$");
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "remedy", "restart", "started");
    assertThat(new RunRecord(folder).entries().get(1).text()).isEqualTo("repeated");
  }

  @Test
  void memoryThatRunsOutWhateverIsDoneEndsTheRun() throws Exception {
    RunEnd end =
        run(
            "echo '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\"}' >\"$DUOKA_FAILURE_FILE\";"
                + " exit 1");
    assertThat(end.status()).isEqualTo(ExitStatus.DO_NOT_REQUEUE);
    assertThat(events()).filteredOn("remedy"::equals).hasSize(3);
  }

  /** It has said why, and does not end; the other one has only lost it. */
  @Test
  void aWorkerThatFailsAndStaysIsTheCause() throws Exception {
    launch(
        "case \"$*\" in *micro_batch=1*) exit 0;; esac; if [ \"$DUOKA_RANK\" = 0 ]; then echo"
            + " '{\"code\":\"OUT_OF_MEMORY\",\"message\":\"full\",\"nothing_else\":true,\"overrides\":[\"training.micro_batch=1\"]}'"
            + " >\"$DUOKA_FAILURE_FILE\"; while true; do sleep 0.1; done; fi; echo"
            + " '{\"code\":\"RANK_LOST\",\"message\":\"lost\"}' >\"$DUOKA_FAILURE_FILE\"; exit 1",
        2,
        OptionalInt.empty());
    RunEnd end = supervise(new StopState()).get(200, TimeUnit.SECONDS).orElseThrow();
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "remedy", "started");
  }

  /** The loss of a run leaves its range and stays away. */
  @Test
  void aRunThatDivergesIsEnded() throws Exception {
    StringBuilder metrics = new StringBuilder();
    for (int step = 1; step <= 130; step++) {
      double loss = step < 105 ? 3 - 0.01 * (step % 7) : 9;
      metrics
          .append("{\"step\":%d,\"loss\":%s,\"lr\":0.001,\"grad_norm\":1.0".formatted(step, loss))
          .append(",\"applied\":true,\"tokens\":8}\n");
    }
    Files.writeString(folder.run().resolve("metrics.jsonl"), metrics);
    launch(OBEDIENT, 1, OptionalInt.empty());
    RunEnd end = supervise(new StopState()).get(60, TimeUnit.SECONDS).orElseThrow();
    assertThat(end.status()).isEqualTo(ExitStatus.DO_NOT_REQUEUE);
    assertThat(end.reason()).contains("diverges since step 105: a loss of 9.000");
    assertThat(Files.readString(folder.run().resolve("told")))
        .contains("divergence: ")
        .contains("failure: ");
  }

  @Test
  void aSpikeThatHealsIsNoDivergence() throws IOException {
    DivergenceWatch watch = new DivergenceWatch(folder.run(), Long.MAX_VALUE);
    StringBuilder metrics = new StringBuilder();
    for (int step = 1; step <= 300; step++) {
      boolean spike = step > 150 && step <= 169;
      boolean skipped = step > 200 && step < 260;
      metrics
          .append("{\"step\":%d,\"loss\":%s".formatted(step, spike || skipped ? 9 : 3))
          .append(",\"lr\":0.001,\"grad_norm\":1,\"applied\":%s}\n".formatted(!skipped));
    }
    Files.writeString(folder.run().resolve("metrics.jsonl"), metrics);
    assertThat(watch.look()).isEmpty();
  }

  private RunEnd runWith(CardHealth.Probe probe, String script) throws Exception {
    launch(script, 1, OptionalInt.empty());
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                return Supervisor.run(folder, state, new StopState(), probe);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            },
            task -> Thread.ofPlatform().daemon().start(task))
        .get(60, TimeUnit.SECONDS)
        .orElseThrow();
  }

  /** Four cards, of which the third is lost when a worker has begun. */
  private CardHealth.Probe losingOne() {
    return new CardHealth.Probe() {
      @Override
      public List<CardHealth> cards() {
        boolean gone = isReady(1);
        return IntStream.range(0, 4)
            .mapToObj(
                card ->
                    new CardHealth(
                        card,
                        "GPU-" + card,
                        gone && card == 2,
                        Optional.of(0L),
                        Optional.of(50),
                        false))
            .toList();
      }

      @Override
      public List<CardHealth.Fault> faults() {
        return List.of();
      }
    };
  }

  @Test
  void withoutALostCardTheRunGoesOnWithTheOthers() throws Exception {
    cards = List.of("GPU-0", "GPU-1", "GPU-2", "GPU-3");
    fewer =
        List.of(
            new FewerCards(3, 1, 3, List.of("parallel.data=3", "training.micro_batch=2")),
            new FewerCards(2, 1, 2, List.of("parallel.data=2")));
    RunEnd end =
        runWith(
            losingOne(),
            "echo \"$CUDA_VISIBLE_DEVICES: $*\"; case \"$*\" in *data=3*) exit 0;; esac; "
                + OBEDIENT);
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events()).containsExactly("started", "card", "remedy", "started");
    assertThat(Files.readString(folder.workers(2).getFirst().standardOutput()))
        .isEqualTo("GPU-0,GPU-1,GPU-3: --set parallel.data=3 --set training.micro_batch=2\n");
  }

  @Test
  void aRunThatMayNotGoOnWithoutACardIsWorthStartingElsewhere() throws Exception {
    Files.createDirectories(folder.run().resolve("checkpoints/step-00000005"));
    cards = List.of("0", "1", "2", "3");
    RunEnd end = runWith(losingOne(), OBEDIENT);
    assertThat(end.status()).isEqualTo(ExitStatus.SAVED);
    assertThat(end.reason())
        .contains("GPU 2 does not answer any more", "remedies.lost_card lets a run go on");
  }

  private static String metrics(int from, int to, int bad) {
    StringBuilder metrics = new StringBuilder();
    for (int step = from; step <= to; step++) {
      double loss = step < bad ? 3 - 0.01 * (step % 7) : 9;
      metrics
          .append("{\"step\":%d,\"loss\":%s,\"lr\":0.001,\"grad_norm\":1.0".formatted(step, loss))
          .append(",\"applied\":true,\"tokens\":8}\n");
    }
    return metrics.toString();
  }

  /** It diverges at once, and again with other batches; with half the rate it ends well. */
  @Test
  void aRunThatDivergesGoesBackAndLeavesBatchesOut() throws Exception {
    goBacks = List.of(List.of(), List.of("optimizer.learning_rate=5.0E-4"));
    for (int step = 80; step <= 120; step += 20) {
      Files.createDirectories(folder.run().resolve("checkpoints/step-%08d".formatted(step)));
    }
    Files.writeString(folder.run().resolve("good"), metrics(1, 100, 105));
    Files.writeString(folder.run().resolve("bad"), metrics(1, 130, 105));
    RunEnd end =
        run(
            "echo \"$*\"; case \"$*\" in *learning_rate*) cp good metrics.jsonl; exit 0;; esac; "
                + "cp good metrics.jsonl; sleep 1; cp bad metrics.jsonl; "
                + OBEDIENT);
    assertThat(end.status()).as(end.reason()).isZero();
    assertThat(events())
        .containsExactly(
            "started", "divergence", "remedy", "started", "divergence", "remedy", "started");
    assertThat(new RunRecord(folder).entries().get(2).text())
        .contains("goes back to the checkpoint of step 100", "the batches of 24 steps");
    assertThat(folder.run().resolve("checkpoints/step-00000120")).doesNotExist();
    Path aside = folder.run().resolve("set-aside/diverged-1");
    assertThat(aside.resolve("checkpoints/step-00000120")).exists();
    assertThat(Files.readAllLines(aside.resolve("metrics.jsonl")).getFirst())
        .startsWith("{\"step\":101,");
    assertThat(Files.readString(folder.workers(3).getFirst().standardOutput()))
        .isEqualTo(
            "--set optimizer.learning_rate=5.0E-4 --set data.leave_out=[\"100:24\", \"100:24\"]"
                + " --resume\n");
  }

  /** A loss that is no number counts as well; what was in vain is said to be. */
  @Test
  void whatDoesNotHelpIsTakenBack() throws Exception {
    goBacks = List.of(List.of(), List.of("optimizer.learning_rate=5.0E-4"));
    RunEnd end =
        run("echo '{\"code\":\"NUMERICS\",\"message\":\"NaN\"}' >\"$DUOKA_FAILURE_FILE\"; exit 1");
    assertThat(end.status()).isEqualTo(ExitStatus.DO_NOT_REQUEUE);
    assertThat(events())
        .containsExactly("started", "remedy", "started", "remedy", "started", "undone", "failed");
    assertThat(new RunRecord(folder).entries().get(5).text())
        .contains("optimizer.learning_rate=5.0E-4: that did not help");
  }

  /** A worker that cannot say what ended it is read: its output tells. */
  private String page(WatchedRun run) {
    return String.join("\n", new TopFrame(400, 60).of(run, List.of()));
  }

  /** What a worker prints is read while it runs: the record has it once, and the page shows it. */
  @Test
  void whatAWorkerPrintsIsDiagnosedWhileItRuns() throws Exception {
    launch(
        "echo 'RuntimeError: CUDA error: an illegal memory access was encountered' >&2; "
            + OBEDIENT,
        1,
        OptionalInt.empty());
    StopState stop = new StopState();
    CompletableFuture<Optional<RunEnd>> end = supervise(stop);
    until(() -> events().contains("finding"));
    assertThat(status().state()).isEqualTo(RunStatus.State.RUNNING);
    String text =
        new RunRecord(folder)
            .entries().stream()
                .filter(it -> it.event().equals("finding"))
                .findFirst()
                .orElseThrow()
                .text();
    assertThat(text).startsWith("worker 0 has printed: ").contains("memory", "stderr.log");
    WatchedRun run =
        new WatchedRun(
            new RunRegistry.Entry(folder.run(), Instant.EPOCH, 0, Optional.empty()), state);
    run.readAll();
    assertThat(page(run)).contains("running", "finding: worker 0 has printed: ");
    Files.writeString(
        folder.workers(1).getFirst().standardError(), "another line\n", StandardOpenOption.APPEND);
    Thread.sleep(6_000);
    assertThat(events()).as("once").containsOnlyOnce("finding");
    stop.stop(StopOrder.TERMINATE);
    assertThat(end.get(60, TimeUnit.SECONDS).orElseThrow().status()).isEqualTo(ExitStatus.SAVED);
  }

  @Test
  void theOutputOfAWorkerIsDiagnosed() throws Exception {
    RunEnd end =
        run(
            "echo 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.' >&2;"
                + " exit 134");
    assertThat(end.reason())
        .contains("worker 0 was ended by signal 6: ")
        .contains("Xid 79")
        .contains("stderr.log");
  }
}
