package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.Progress;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.comm.launch.ProcessRanks;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.comm.launch.Terms;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.training.TrainingData;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.step.RankBuilder;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that runs out on one of several ranks: all repeat the step, whatever is between them. */
class FullMemoryOnRanksTests {
  /** Far more than anything takes that goes well. */
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path folder;

  /** What the first rank reports. */
  private static final class Events implements RunEvents {
    private final List<String> notices = new ArrayList<>();
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> rates = new ArrayList<>();
    private final List<Long> tokens = new ArrayList<>();

    @Override
    public void enter(Phase phase, long step) {}

    @Override
    public void notice(String text) {
      notices.add(text);
    }

    @Override
    public void step(StepMetrics metrics, double remainingSeconds) {
      losses.add(metrics.loss());
      rates.add(metrics.learningRate());
      tokens.add(metrics.tokens());
    }

    @Override
    public void validated(long step, ValidationResult result) {}

    @Override
    public void reached(String what, long done, long total) {}

    @Override
    public void save(RankState rank, RunProgress progress) {}

    @Override
    public boolean isTurnOver(long steps) {
      return false;
    }

    @Override
    public void awaitTurn(int rank, long steps) {}

    @Override
    public boolean stopRequested() {
      return false;
    }
  }

  /** Counts the functions that a rank begins, and lets memory run out at some of them. */
  private static final class FullMemory implements FunctionObserver {
    private final List<Integer> full;
    private int begun;

    FullMemory(Integer... full) {
      this.full = List.of(full);
    }

    @Override
    public void begin(Phase phase, String name) {
      if (full.contains(++begun)) {
        throw OutOfMemoryException.of(Device.CPU, 1 << 30, "", null);
      }
    }

    @Override
    public void end(Phase phase, String name, Work work) {}
  }

  /**
   * @param begun how many functions each rank has begun
   */
  private record Ran(Events events, RunProgress progress, List<Integer> begun) {}

  /** What runs ranks. */
  private interface Ranks {
    void run(int count, RankBody body);
  }

  /** Ranks that are the threads of one process. */
  private static final Ranks THREADS = LocalRanks::run;

  /** Ranks of processes of their own, but that these are threads, too. */
  private static void processes(int count, RankBody body) {
    int port = FreePort.any();
    Queue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads =
        IntStream.range(0, count)
            .mapToObj(
                process ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              try {
                                process(process, count, port, body);
                              } catch (RuntimeException e) {
                                failures.add(e);
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    // One process has what was thrown, the others say that it has failed.
    failures.stream()
        .filter(OutOfMemoryException.class::isInstance)
        .findFirst()
        .or(() -> Optional.ofNullable(failures.peek()))
        .ifPresent(
            failure -> {
              throw failure;
            });
  }

  private static void process(int process, int count, int port, RankBody body) {
    ProcessPlace place =
        new ProcessPlace(
            ProcessPlace.Launcher.DUOKA,
            process,
            count,
            OptionalInt.empty(),
            Optional.of(InetSocketAddress.createUnresolved("127.0.0.1", port)));
    try (ProcessRanks ranks =
        ProcessRanks.join(
            place,
            new RankRange(process, 1, count),
            LONG,
            LONG,
            new Terms("test", List.of()),
            "")) {
      ranks.run(_ -> ExchangeLedger.NONE, body);
    }
  }

  private Ran run(RunConfig config, int victim, Integer... full) {
    return run(THREADS, config, victim, full);
  }

  /**
   * Three steps of four micro-batches a rank.
   *
   * @param victim the rank that runs out of memory
   */
  private Ran run(Ranks ranks, RunConfig config, int victim, Integer... full) {
    Events events = new Events();
    List<FullMemory> memories =
        IntStream.range(0, config.parallel().ranks())
            .mapToObj(rank -> rank == victim ? new FullMemory(full) : new FullMemory())
            .toList();
    List<RunProgress> progress = new ArrayList<>();
    RunChecks.Checked checked = RunChecks.require(config);
    TrainingData data = RunData.open(config, checked.tokenizer(), TokenisationListener.SILENT);
    RankBuilder builder = new RankBuilder(config, checked.model(), data.validation());
    ranks.run(
        config.parallel().ranks(),
        world -> {
          ComputeThread.prepare(Device.CPU, 1, world.size());
          try (RankState state = builder.allocate(world, Device.CPU);
              BatchStream batches =
                  BatchStream.open(
                      new TrainingOrder(data.training(), 1),
                      builder.share(world),
                      RunProgress.START.data())) {
            builder.firstWeights(state, _ -> {}, Progress.NONE, () -> {});
            state.step().observe(memories.get(world.rank()));
            RunSetup setup =
                new RunSetup(
                    config,
                    checked.model(),
                    DevicePlacement.choose(config.device(), config.parallel().mesh()),
                    world.size(),
                    MemoryNeed.of(Map.of(), 1),
                    data,
                    Optional.empty(),
                    OptionalLong.empty(),
                    Turns.ALWAYS);
            RankTrainer.Outcome outcome =
                new RankTrainer(
                        state,
                        batches,
                        setup.loop(new DevicePeak(1, false, "")),
                        new StepRemedies(config, checked.model(), world.rank()),
                        world.rank() == 0 ? events : new Events(),
                        RunData.evaluations(config, data),
                        false)
                    .run(RunProgress.START);
            if (world.rank() == 0) {
              progress.add(outcome.progress());
            }
          }
        });
    return new Ran(
        events, progress.getFirst(), memories.stream().map(memory -> memory.begun).toList());
  }

  private RunConfig config(String parallel, String... more) throws IOException {
    List<String> overrides = new ArrayList<>(List.of(more));
    overrides.add("parallel=" + parallel);
    overrides.add("training={tokens_per_step: 512, micro_batch: 2, steps: 3}");
    overrides.add("schedule.warmup_steps=0");
    overrides.add("validation={every_steps: 0, sequences: 4}");
    overrides.add("checkpoint={every_steps: 0}");
    return SmallRun.config(folder, overrides.toArray(String[]::new));
  }

  /**
   * In the middle of the second step's accumulation, in the last backward pass and when the last
   * update begins: there other ranks wait in all sorts of exchanges.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{data: 2}; true",
        "{data: 2, zero: 1}; false",
        "{data: 2, zero: 2}; false",
        "{data: 2, zero: 3}; false",
        "{tensor: 2}; false",
        "{data: 2, expert: 2}; false",
        "{context: 2}; true",
        "{pipeline: 2}; false",
        "{pipeline: 2, schedule: zero_bubble}; false",
        "{data: 2, tensor: 2, pipeline: 2, zero: 1}; false"
      })
  void theStepIsRepeatedOnAllRanks(String parallel, boolean copies) throws IOException {
    RunConfig config = config(parallel);
    int last = config.parallel().ranks() - 1;
    Ran undisturbed = run(config, 0);
    repeats(THREADS, config, undisturbed, 0, undisturbed.begun().getFirst() * 5 / 11);
    int all = undisturbed.begun().getLast();
    repeats(THREADS, config, undisturbed, last, all - 1);
    if (copies) {
      // The others have all gradients and need nobody for their update: they have made it.
      assertThatThrownBy(() -> run(config, last, all)).isInstanceOf(OutOfMemoryException.class);
    } else {
      repeats(THREADS, config, undisturbed, last, all);
    }
  }

  /** As above, where each rank has a process of its own. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{data: 2}; true",
        "{data: 2, zero: 3}; false",
        "{context: 2}; true",
        "{pipeline: 2, schedule: zero_bubble}; false",
        "{data: 2, tensor: 2, zero: 1}; false"
      })
  void ofProcessesAllRepeatIt(String parallel, boolean copies) throws IOException {
    Ranks processes = FullMemoryOnRanksTests::processes;
    RunConfig config = config(parallel);
    int last = config.parallel().ranks() - 1;
    Ran undisturbed = run(config, 0);
    repeats(processes, config, undisturbed, 0, undisturbed.begun().getFirst() * 5 / 11);
    int all = undisturbed.begun().getLast();
    if (copies) {
      assertThatThrownBy(() -> run(processes, config, last, all))
          .isInstanceOf(OutOfMemoryException.class);
    } else {
      repeats(processes, config, undisturbed, last, all);
    }
  }

  /** States in host memory that pass through the device make no difference to that. */
  @ParameterizedTest
  @ValueSource(strings = {"{data: 2, zero: 1}", "{data: 2, zero: 3}"})
  void soItIsWhereStatesPassThrough(String parallel) throws IOException {
    RunConfig config = config(parallel, "memory.offload=optimizer", "device=auto");
    Ran undisturbed = run(config, 0);
    Ran here = run(config(parallel), 0);
    assertThat(undisturbed.events().losses).isEqualTo(here.events().losses);
    repeats(THREADS, config, undisturbed, 0, undisturbed.begun().getFirst() * 5 / 11);
    int all = undisturbed.begun().getLast();
    repeats(
        THREADS, config, undisturbed, 1, all / 3 + 2); // some weights of the second step are there
    repeats(THREADS, config, undisturbed, 1, all);
  }

  private void repeats(Ranks ranks, RunConfig config, Ran undisturbed, int victim, int full) {
    MemoryLedger ledger = MemoryLedger.of(Device.CPU);
    long storages = ledger.liveStorages();
    Map<MemoryOwner, Long> before = ledger.liveByOwner();
    Ran ran = run(ranks, config, victim, full);
    assertThat(ledger.liveStorages()).as("storages").isEqualTo(storages);
    assertThat(ledger.liveByOwner()).isEqualTo(before);
    assertThat(ran.events().notices)
        .as("function %d on rank %d", full, victim)
        .hasSize(1)
        .first()
        .asString()
        .contains("micro-batches have 1 sequence in place of 2");
    assertThat(ran.progress().data()).isEqualTo(undisturbed.progress().data());
    assertThat(ran.events().tokens).isEqualTo(undisturbed.events().tokens);
    assertThat(ran.events().rates).isEqualTo(undisturbed.events().rates);
    assertThat(ran.events().losses)
        .as("function %d on rank %d", full, victim)
        .usingElementComparator((a, b) -> Math.abs(a - b) < 2e-5 ? 0 : Double.compare(a, b))
        .isEqualTo(undisturbed.events().losses);
  }

  @Test
  void whereMemoryRunsOutForWhateverCanBeDoneInPlaceAllEnd() throws IOException {
    RunConfig config = config("{data: 2}");
    assertThatThrownBy(() -> run(config, 1, 2, 3, 4, 5)).isInstanceOf(OutOfMemoryException.class);
  }

  /** What has no remedy here is left to the supervisor. */
  @Test
  void withoutTheRemedyAllEnd() throws IOException {
    RunConfig config = config("{data: 2}", "remedies={out_of_memory: false}");
    assertThatThrownBy(() -> run(config, 1, 2)).isInstanceOf(OutOfMemoryException.class);
  }
}
