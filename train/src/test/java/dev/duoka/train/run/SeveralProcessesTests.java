package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.train.config.RunConfig;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs of several processes: the same numbers as one, and one message when a process is lost. */
@Timeout(240)
class SeveralProcessesTests {
  private static final String[] LAYOUT = {
    "parallel={data: 2, tensor: 2, zero: 1}",
    "training.steps=8",
    "validation={every_steps: 4, sequences: 4}",
    "checkpoint={every_steps: 4, keep: 5}",
    "schedule.warmup_steps=2"
  };

  @TempDir Path folder;
  private final List<Child> children = new ArrayList<>();

  @AfterEach
  void endChildren() throws InterruptedException {
    for (Child child : children) {
      child.process.destroyForcibly().waitFor();
    }
  }

  /** Starts children until there are so many. */
  private List<Child> children(int count) throws IOException {
    while (children.size() < count) {
      children.add(new Child());
    }
    return children.subList(0, count);
  }

  private static String[] with(String... more) {
    List<String> all = new ArrayList<>(List.of(LAYOUT));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  /** Gives the children a job each; they answer when the run has ended. */
  private List<Child> start(
      int processes, String runDir, long steps, boolean resume, String... overrides)
      throws IOException {
    if (!Files.exists(folder.resolve("corpus"))) {
      SmallRun.corpus(folder);
    }
    int port = FreePort.any();
    List<Child> all = children(processes);
    for (int process = 0; process < processes; process++) {
      List<String> job =
          new ArrayList<>(
              List.of(
                  "" + process,
                  "" + processes,
                  "" + port,
                  folder.toString(),
                  folder.resolve(runDir).toString(),
                  "" + steps,
                  "" + resume));
      job.addAll(List.of(with(overrides)));
      all.get(process).say(String.join("\t", job));
    }
    return all;
  }

  private List<String> losses(String runDir) throws IOException {
    return Files.readAllLines(folder.resolve(runDir).resolve(MetricsFile.NAME)).stream()
        .map(line -> line.replaceAll(".*\"step\":(\\d+).*?loss\":([^,}]+).*", "$1 $2"))
        .toList();
  }

  private void runAlone(String runDir, long steps, boolean resume) throws IOException {
    RunConfig config = SmallRun.config(folder, LAYOUT);
    SmallRun.run(config, folder.resolve(runDir), new SmallRun.Listener(), steps, resume);
  }

  @Test
  void anyNumberOfProcessesComputesWhatOneDoesAndGoesOnFromWhatAnotherHasSaved()
      throws IOException {
    runAlone("one", 8, false);
    List<String> expected = losses("one");
    assertThat(expected).hasSize(10).allMatch(line -> line.matches("\\d+ [0-9.E-]+"));
    for (int processes : new int[] {2, 4}) {
      String runDir = processes + " processes";
      for (Child child : start(processes, runDir, 8, false)) {
        assertThat(child.line()).isEqualTo("COMPLETE 8 saved 8");
      }
      assertThat(losses(runDir)).as(runDir).isEqualTo(expected);
      assertThat(Files.readString(folder.resolve(runDir).resolve("process-1.log")))
          .contains(processes == 2 ? "ranks    2 to 3 of 4, " : "ranks    1 of 4, ");
    }
    // Two processes begin, one goes on; and the other way round.
    for (Child child : start(2, "two then one", 4, false)) {
      assertThat(child.line()).isEqualTo("COMPLETE 4 saved 4");
    }
    runAlone("two then one", 8, true);
    assertThat(losses("two then one")).isEqualTo(expected);
    runAlone("one then two", 4, false);
    for (Child child : start(2, "one then two", 8, true)) {
      assertThat(child.line()).isEqualTo("COMPLETE 8 saved 8");
    }
    assertThat(losses("one then two")).isEqualTo(expected);
  }

  @Test
  void aKilledProcessEndsTheOtherAndTheLastCheckpointGoesOn() throws Exception {
    List<Child> both = start(2, "run", 1_000, false, "training.steps=1000");
    awaitSteps("run", 12); // ten steps and two validations: step 4 at least is saved
    Child victim = both.get(1);
    victim.process.destroyForcibly().waitFor();
    assertThat(both.getFirst().line())
        .startsWith("failed: ranks [2, 3] are lost: process 1 (pid " + victim.process.pid())
        .contains("has closed its connection");
    assertThat(Files.readString(folder.resolve("run").resolve("run.log")))
        .contains("failed: ranks [2, 3] are lost");
    SmallRun.Listener listener = new SmallRun.Listener();
    RunConfig config = SmallRun.config(folder, with("training.steps=1000"));
    RunResult result = SmallRun.run(config, folder.resolve("run"), listener, 12, true);
    assertThat(result.steps()).isEqualTo(12);
    assertThat(listener.steps.getFirst().step()).isGreaterThan(4);
  }

  @Test
  void aProcessThatStandsStillEndsTheOtherWithinTheLimit() throws Exception {
    List<Child> both = start(2, "run", 1_000, false, "training.steps=1000", "launch.timeout=4");
    awaitSteps("run", 2);
    Child victim = both.get(1);
    victim.signal("STOP");
    assertThat(both.getFirst().line())
        .startsWith("failed: rank ")
        .contains("has waited 4.0 s for rank ")
        .contains("does not answer: process 1 (pid " + victim.process.pid())
        .contains("stands still");
    victim.signal("CONT");
    assertThat(victim.line()).startsWith("failed: ");
  }

  /** All ranks of all processes end with the message of the one that can have no more. */
  @Test
  void aRankThatCannotAllocateEndsAllWithWhatItHeldAndWhatFits() throws Exception {
    children.add(new Child());
    children.add(new Child("-Dduoka.rankMemory=" + (3 << 20)));
    List<Child> both = start(2, "run", 8, false);
    String its = both.get(1).line();
    assertThat(its)
        .matches("failed: rank [23] of 4 cannot allocate .* on cpu beside the .* that it holds.*")
        .contains("weights")
        .containsAnyOf("This would fit: micro-batch ", "Even ", "takes less of that");
    String other = both.getFirst().line();
    assertThat(other)
        .startsWith("failed: ")
        .containsPattern("rank [23] failed \\(rank [23] of 4 cannot allocate ")
        .contains("weights");
  }

  private void awaitSteps(String runDir, int steps) throws Exception {
    Path metrics = folder.resolve(runDir).resolve(MetricsFile.NAME);
    while (!Files.exists(metrics) || Files.readAllLines(metrics).size() < steps) {
      for (Child child : children) {
        assertThat(child.process.isAlive()).isTrue();
      }
      Thread.sleep(20);
    }
  }

  // What needs no process of its own: threads take the places.

  private List<@Nullable Throwable> threads(
      List<String[]> overrides, List<Path> runDirs, Consumer<Trainer> started)
      throws InterruptedException, IOException {
    SmallRun.corpus(folder);
    int port = FreePort.any();
    List<@Nullable Throwable> ends = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < overrides.size(); i++) {
      int process = i;
      ends.add(null);
      RunConfig config = SmallRun.config(folder, with(overrides.get(process)));
      Trainer trainer =
          new Trainer(
              config,
              new RunOptions(OptionalLong.empty(), Optional.empty(), false),
              runDirs.get(process),
              place(process, overrides.size(), port),
              new SmallRun.Listener());
      if (process == overrides.size() - 1) {
        started.accept(trainer);
      }
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      RunResult result = trainer.run();
                      ends.set(process, new Ended(result));
                    } catch (Throwable t) {
                      ends.set(process, t);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return ends;
  }

  /** A run that ended well, among those that did not. */
  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Ended(RunResult result) {
      super(result.end() + " in " + result.runDir().getFileName());
    }
  }

  private static ProcessPlace place(int process, int processes, int port) {
    return new ProcessPlace(
        ProcessPlace.Launcher.DUOKA,
        process,
        processes,
        OptionalInt.empty(),
        Optional.of(InetSocketAddress.createUnresolved("127.0.0.1", port)));
  }

  @Test
  void wrongCountsAreRefusedWithAllThreeNumbers() throws Exception {
    List<Path> dirs = List.of(folder.resolve("a"), folder.resolve("b"), folder.resolve("c"));
    String[] none = {};
    for (Throwable end : threads(List.of(none, none, none), dirs, _ -> {})) {
      assertThat(end)
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
          .hasMessageContaining("the run has 4 ranks, but is started as 3 processes of 1 rank each")
          .hasMessageContaining("Start a number of processes that divides 4");
    }
    String[] one = {"launch.ranks_per_process=1"};
    for (Throwable end : threads(List.of(one, one), dirs, _ -> {})) {
      assertThat(end)
          .hasMessageContaining("2 processes of 1 rank each")
          .hasMessageContaining("Start 4 processes, or set launch.ranks_per_process to 2");
    }
    assertThat(dirs).noneMatch(Files::exists);
  }

  @Test
  void anotherRunFileIsRefusedWithTheFirstDifference() throws Exception {
    List<Path> dirs = List.of(folder.resolve("a"), folder.resolve("b"));
    List<String[]> two = List.of(new String[] {}, new String[] {"optimizer.learning_rate=1e-3"});
    for (Throwable end : threads(two, dirs, _ -> {})) {
      assertThat(end)
          .hasMessageContaining("are of different runs, the first difference: 'learning_rate: ")
          .hasMessageContaining("Start all with the same run file and the same options");
    }
    assertThat(dirs).noneMatch(Files::exists);
  }

  @Test
  void whatProcess0CannotPrepareEndsTheOthersWithItsMessage() throws Exception {
    Path taken = folder.resolve("taken");
    Files.createDirectories(RunFolder.checkpoints(taken).resolve("step-00000004"));
    String[] none = {};
    List<@Nullable Throwable> ends =
        threads(List.of(none, none), List.of(taken, folder.resolve("b")), _ -> {});
    assertThat(ends.get(0)).hasMessageContaining("already holds the checkpoints of a run");
    assertThat(ends.get(1))
        .hasMessageContaining("rank 0 failed (" + taken + " already holds the checkpoints");
    assertThat(folder.resolve("b")).doesNotExist();
  }

  @Test
  void aStopThatOneProcessHearsStopsAllInTheFolderOfTheFirst() throws Exception {
    String[] none = {};
    List<Path> dirs = List.of(folder.resolve("a"), folder.resolve("b"));
    List<@Nullable Throwable> ends = threads(List.of(none, none), dirs, Trainer::stop);
    assertThat(ends).allSatisfy(end -> assertThat(end).hasMessage("INTERRUPTED in a"));
  }

  /** A {@link TrainingProcess}. */
  private static final class Child {
    private final Process process;
    private final BufferedReader output;

    Child(String... options) throws IOException {
      List<String> command =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "--enable-native-access=ALL-UNNAMED",
                  "--sun-misc-unsafe-memory-access=allow",
                  "-cp",
                  classPath()));
      command.addAll(List.of(options));
      command.add(TrainingProcess.class.getName());
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
      builder.environment().put("OMP_NUM_THREADS", "1");
      builder.environment().put("OPENBLAS_NUM_THREADS", "1");
      process = builder.start();
      output = process.inputReader();
      assertThat(line()).isEqualTo("ready");
    }

    /**
     * All that this JVM has; Maven puts modules on a path of their own and patches the tests in.
     */
    private static String classPath() {
      String repository = System.getProperty("duoka.repository", "");
      return String.join(
          File.pathSeparator,
          Path.of(repository, "train", "target", "test-classes").toString(),
          System.getProperty("jdk.module.path", ""),
          System.getProperty("java.class.path", ""));
    }

    void say(String line) throws IOException {
      process.outputWriter().write(line + "\n");
      process.outputWriter().flush();
    }

    String line() throws IOException {
      String line = output.readLine();
      return line == null ? "the process has ended" : line;
    }

    void signal(String name) throws IOException, InterruptedException {
      assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor())
          .isZero();
    }
  }
}
