package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.training.TrainingData;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.formats.turn.TurnFile;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.memory.TooLittleMemoryException;
import dev.duoka.train.schedule.LearningRateSchedule;
import dev.duoka.train.step.RankBuilder;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RankTrainerTests {
  private static final ValidationSettings NO_VALIDATION =
      new ValidationSettings(0, 1, List.of(), 0, 1, ValidationSettings.LOSS, false, 0);

  @TempDir Path folder;

  /** Asks for a stop when it is asked for the n-th time. */
  private static final class Events implements RunEvents {
    private final int stopAt;
    private int asked;
    private final List<Long> steps = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();
    private final List<List<String>> remedies = new ArrayList<>();
    private final List<Double> rates = new ArrayList<>();
    private final List<Double> losses = new ArrayList<>();
    private final List<StepMetrics.StepTime> times = new ArrayList<>();
    private final List<Long> launchedBefore = new ArrayList<>();
    private LongSupplier launched = () -> 0;
    private Consumer<RankState> prepare = _ -> {};
    private Turns turns = Turns.ALWAYS;
    private Runnable whileValidating = () -> {};
    private Runnable whileSaving = () -> {};
    private @Nullable StepRemedies ofRank;
    private final List<Long> validations = new ArrayList<>();
    private final List<RunProgress> saves = new ArrayList<>();

    Events(int stopAt) {
      this.stopAt = stopAt;
    }

    @Override
    public void enter(Phase phase, long step) {}

    @Override
    public void notice(String text) {
      notices.add(text);
    }

    @Override
    public void remedied(List<String> overrides, String text) {
      remedies.add(overrides);
      notice(text);
    }

    @Override
    public void step(StepMetrics metrics, double remainingSeconds) {
      steps.add(metrics.step());
      losses.add(metrics.loss());
      rates.add(metrics.learningRate());
      times.add(metrics.seconds());
      launchedBefore.add(launched.getAsLong());
    }

    @Override
    public void validated(long step, ValidationResult result) {
      validations.add(step);
    }

    @Override
    public void reached(String what, long done, long total) {
      whileValidating.run();
    }

    @Override
    public void save(RankState rank, RunProgress progress) {
      saves.add(progress);
      whileSaving.run();
    }

    @Override
    public boolean isTurnOver(long steps) {
      return turns.isOver(steps);
    }

    @Override
    public void awaitTurn(int rank, long steps) {
      turns.await(rank, steps, () -> false);
    }

    @Override
    public boolean stopRequested() {
      asked++;
      return asked >= stopAt;
    }
  }

  /**
   * Two turns of one and of two steps: at the end of a turn all of its steps are reported, and the
   * time that the others take is no step's.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRunWaitsForItsTurn(boolean readsLate) throws Exception {
    TurnFile file = TurnFile.create(folder.resolve("turns"));
    Events events = new Events(Integer.MAX_VALUE);
    events.turns = Turns.of(Map.of(Turns.VARIABLE, folder.resolve("turns") + ":2"));
    List<List<Long>> reported = new ArrayList<>();
    long pause = 400_000_000;
    Thread others =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (long steps : new long[] {0, 1}) {
                    while (!file.stands(2, 1, steps)) {
                      Thread.onSpinWait();
                    }
                    reported.add(List.copyOf(events.steps));
                    LockSupport.parkNanos(pause);
                    file.allow(2, 1 + 2 * steps);
                  }
                });
    long start = System.nanoTime();
    run(events, readsLate);
    double elapsed = (System.nanoTime() - start) * 1e-9;
    others.join();
    assertThat(reported).containsExactly(List.of(), List.of(1L));
    assertThat(events.steps).containsExactly(1L, 2L, 3L);
    double counted = events.times.stream().mapToDouble(StepMetrics.StepTime::total).sum();
    assertThat(counted).isLessThan(elapsed - 2 * pause * 1e-9);
  }

  @Test
  void turnsAreNamedByFileAndNumber() {
    assertThat(Turns.of(Map.of())).isSameAs(Turns.ALWAYS);
    assertThatThrownBy(() -> Turns.of(Map.of(Turns.VARIABLE, "/somewhere")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("DUOKA_TURNS is '/somewhere', which is not FILE:NUMBER");
  }

  /** Three steps, of which the second and the last are followed by a validation of four batches. */
  private RankTrainer.Outcome run(Events events) throws IOException {
    return run(events, false);
  }

  private RankTrainer.Outcome run(Events events, boolean readsLate) throws IOException {
    RunConfig config =
        SmallRun.config(
            folder,
            "training={tokens_per_step: 512, micro_batch: 4, steps: 3}",
            "schedule.warmup_steps=0",
            "validation={every_steps: 2, sequences: 16}",
            "checkpoint={every_steps: 0}");
    ComputeThread.prepare(Device.CPU, 1, 1);
    RunChecks.Checked checked = RunChecks.require(config);
    TrainingData data = RunData.open(config, checked.tokenizer(), TokenisationListener.SILENT);
    RankBuilder builder = new RankBuilder(config, checked.model(), data.validation());
    SingleRank alone = new SingleRank();
    try (RankState state = builder.allocate(alone, Device.CPU);
        BatchStream batches =
            BatchStream.open(
                new TrainingOrder(data.training(), 1),
                builder.share(alone),
                RunProgress.START.data())) {
      builder.firstWeights(state, _ -> {}, Progress.NONE, () -> {});
      events.prepare.accept(state);
      events.launched = state.optimizer()::steps;
      RunSetup setup =
          new RunSetup(
              config,
              checked.model(),
              DevicePlacement.choose(config.device(), config.parallel().mesh()),
              1,
              MemoryNeed.of(Map.of(), 1),
              data,
              Optional.empty(),
              OptionalLong.empty(),
              Turns.ALWAYS);
      LoopSettings settings = setup.loop(new DevicePeak(1, false, ""));
      events.ofRank = new StepRemedies(config, checked.model(), 0);
      return new RankTrainer(
              state,
              batches,
              settings,
              events.ofRank,
              events,
              RunData.evaluations(config, data),
              readsLate)
          .run(RunProgress.START);
    }
  }

  /** Nothing of a step is proposed for what is no step. */
  @ParameterizedTest
  @ValueSource(strings = {"validates after step 2", "saves a checkpoint of step 3", ""})
  void memoryThatRunsOutBetweenStepsIsSaidToBeOfThat(String what) {
    Events events = new Events(Integer.MAX_VALUE);
    Runnable full =
        () -> {
          throw OutOfMemoryException.of(Device.CPU, 1 << 30, "", null);
        };
    if (what.startsWith("validates")) {
      events.whileValidating = full;
    } else if (what.startsWith("saves")) {
      events.whileSaving = full;
    } else {
      events.prepare = rank -> rank.step().observe(new FullMemory(1, 2, 3, 4, 5, 6));
    }
    OutOfMemoryException failure =
        catchThrowableOfType(OutOfMemoryException.class, () -> run(events));
    TooLittleMemoryException ends = Objects.requireNonNull(events.ofRank).ends(failure, 1);
    if (what.isEmpty()) {
      assertThat(ends.problem()).doesNotContain(" while it ");
      assertThat(ends.isInStep()).isTrue();
    } else {
      assertThat(ends.problem()).endsWith(" that it holds while it " + what);
      assertThat(ends.isInStep()).isFalse();
      assertThat(ends.overrides()).noneMatch(it -> it.contains("recompute"));
    }
  }

  /** Lets memory run out when the forward pass of a micro-batch of a step begins, some times. */
  private static final class FullMemory implements FunctionObserver {
    private final List<Integer> passes;
    private int pass;

    FullMemory(Integer... passes) {
      this.passes = List.of(passes);
    }

    @Override
    public void enterBlock(Phase phase, int block) {
      if (phase == Phase.FORWARD && block == 0 && passes.contains(++pass)) {
        throw OutOfMemoryException.of(Device.CPU, 1 << 30, "", null);
      }
    }

    @Override
    public void begin(Phase phase, String name) {}

    @Override
    public void end(Phase phase, String name, Work work) {}
  }

  /**
   * In the first micro-batch of the first step, and again in the third one of the second step: each
   * step is repeated, with the same tokens and rate, and nothing of what was begun stays.
   */
  @ParameterizedTest
  @ValueSource(strings = {"1", "7", "1, 12", "3, 4"})
  void aStepForWhichMemoryRunsOutIsRepeated(String passes) throws IOException {
    Events undisturbed = new Events(Integer.MAX_VALUE);
    RankTrainer.Outcome expected = run(undisturbed);
    Events events = new Events(Integer.MAX_VALUE);
    Integer[] full =
        Arrays.stream(passes.split(", ")).map(Integer::valueOf).toArray(Integer[]::new);
    events.prepare = state -> state.step().observe(new FullMemory(full));
    RankTrainer.Outcome outcome = run(events);
    assertThat(events.notices).hasSize(full.length);
    assertThat(events.notices.getFirst()).contains("micro-batches have 2 sequences in place of 4");
    assertThat(outcome.progress().data()).isEqualTo(expected.progress().data());
    assertThat(events.rates).isEqualTo(undisturbed.rates);
    assertThat(events.losses)
        .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-5 ? 0 : Double.compare(a, b))
        .isEqualTo(undisturbed.losses);
  }

  @Test
  void whereMemoryRunsOutForWhateverCanBeDoneInPlaceTheRunEnds() {
    Events events = new Events(Integer.MAX_VALUE);
    events.prepare = state -> state.step().observe(new FullMemory(1, 2, 3, 4, 5));
    assertThatThrownBy(() -> run(events)).isInstanceOf(OutOfMemoryException.class);
    assertThat(events.remedies)
        .containsExactly(
            List.of("training.micro_batch=2"),
            List.of("training.micro_batch=1"),
            List.of("training.micro_batch=1", "training.recompute=selective"),
            List.of("training.micro_batch=1", "training.recompute=full"));
    assertThat(events.notices.get(2))
        .contains(
            "from now on recompute is selective in place of none; training.micro_batch=1"
                + " training.recompute=selective begins with that");
  }

  /** One sequence goes to recompute at once, with the same tokens, rates and losses. */
  @Test
  void recomputeChangesNothingThatAStepComputes() throws IOException {
    Events undisturbed = new Events(Integer.MAX_VALUE);
    RankTrainer.Outcome expected = run(undisturbed);
    Events events = new Events(Integer.MAX_VALUE);
    events.prepare = state -> state.step().observe(new FullMemory(1, 2, 20, 45));
    RankTrainer.Outcome outcome = run(events);
    assertThat(events.remedies)
        .last()
        .isEqualTo(List.of("training.micro_batch=1", "training.recompute=full"));
    assertThat(outcome.progress().data()).isEqualTo(expected.progress().data());
    assertThat(events.rates).isEqualTo(undisturbed.rates);
    assertThat(events.losses)
        .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-5 ? 0 : Double.compare(a, b))
        .isEqualTo(undisturbed.losses);
  }

  @Test
  void runsToItsEndWhenNobodyStopsIt() throws IOException {
    Events events = new Events(Integer.MAX_VALUE);
    RankTrainer.Outcome outcome = run(events);
    assertThat(outcome.interrupted()).isFalse();
    assertThat(events.steps).containsExactly(1L, 2L, 3L);
    assertThat(events.validations).containsExactly(2L, 3L);
    assertThat(events.saves).containsExactly(outcome.progress());
    assertThat(outcome.progress().validationLoss()).isPresent();
    assertThat(events.asked).isEqualTo(1 + 3 + 2 * 4);
  }

  @Test
  void readsALossOneStepLateUnlessItIsNeeded() throws IOException {
    Events atOnce = new Events(Integer.MAX_VALUE);
    RankTrainer.Outcome expected = run(atOnce);
    Events late = new Events(Integer.MAX_VALUE);
    RankTrainer.Outcome outcome = run(late, true);
    assertThat(late.losses).isEqualTo(atOnce.losses);
    assertThat(outcome.progress()).isEqualTo(expected.progress());
    assertThat(late.validations).containsExactly(2L, 3L);
    assertThat(late.saves).containsExactly(outcome.progress());
    // The first step is read when the second is launched; the second is followed by a validation
    // and the third is the last.
    assertThat(late.launchedBefore).containsExactly(2L, 2L, 3L);
    assertThat(atOnce.launchedBefore).containsExactly(1L, 2L, 3L);
  }

  /** Whenever its numbers are read: on the CPU a step ends when its last part has run. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aStepTakesAsLongAsItsParts(boolean readsLate) throws IOException {
    Events events = new Events(Integer.MAX_VALUE);
    run(events, readsLate);
    assertThat(events.times)
        .hasSize(3)
        .allSatisfy(
            time -> assertThat(time.total()).isGreaterThan(time.forward() + time.backward()));
  }

  @Test
  void aLateReaderStopsWithEveryStepReported() throws IOException {
    Events events = new Events(2); // after step 1, of which nothing is read yet
    RankTrainer.Outcome outcome = run(events, true);
    assertThat(outcome.interrupted()).isTrue();
    assertThat(events.steps).containsExactly(1L);
    assertThat(events.saves).extracting(RunProgress::steps).containsExactly(1L);
    assertThat(events.saves.getFirst().loss()).isEqualTo(events.losses.getFirst());
  }

  @Test
  void weightsThatAreNoNumbersAreBlamed() {
    Events events = new Events(Integer.MAX_VALUE);
    events.prepare =
        state -> {
          Tensor weight = state.model().weights().get(3).parameter().value();
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            Copies.into(
                weight, Tensors.full(Double.NaN, weight.dtype(), weight.device(), weight.shape()));
          }
          state.optimizer().adoptValues();
        };
    assertThatThrownBy(() -> run(events))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("step 1 gave no number because the weight model.layers.")
        .hasMessageContaining("model.path");
  }

  @Test
  void aRunIsNoFasterThanTheCpuThatItRunsOn() throws IOException {
    RunConfig config = SmallRun.config(folder);
    LearningRateSchedule schedule =
        LearningRateSchedule.of(config.schedule(), config.optimizer(), 1);
    LoopSettings cpu =
        new LoopSettings(schedule, 1, 1, NO_VALIDATION, 0, 0, false, 0, 1, 1, 2, 1, true);
    LoopSettings card =
        new LoopSettings(schedule, 1, 1, NO_VALIDATION, 0, 0, false, 0, 1, 1, 2, 1, false);
    assertThat(cpu.mfu(3, 1)).isEqualTo(1);
    assertThat(cpu.mfu(0.25, 1)).isEqualTo(0.5);
    assertThat(card.mfu(3, 1)).as("of a data sheet: it would be wrong, and shows").isEqualTo(6);
  }

  @Test
  void stopsBeforeTheFirstStepWithoutSaving() throws IOException {
    Events events = new Events(1);
    assertThat(run(events).interrupted()).isTrue();
    assertThat(events.steps).isEmpty();
    assertThat(events.saves).isEmpty();
  }

  @Test
  void savesAtOnceInsteadOfValidating() throws IOException {
    Events events = new Events(3); // after step 2
    assertThat(run(events).interrupted()).isTrue();
    assertThat(events.validations).isEmpty();
    assertThat(events.saves).extracting(RunProgress::steps).containsExactly(2L);
  }

  @Test
  void stopsInTheMiddleOfAValidationAndSaves() throws IOException {
    Events events = new Events(5); // the second batch of the validation after step 2
    RankTrainer.Outcome outcome = run(events);
    assertThat(outcome.interrupted()).isTrue();
    assertThat(events.steps).containsExactly(1L, 2L);
    assertThat(events.validations).isEmpty();
    assertThat(events.saves).extracting(RunProgress::steps).containsExactly(2L);
    assertThat(outcome.progress().validationLoss()).isEmpty();
  }

  /** Ranges are the most of what a run writes: they become rarer as it becomes longer. */
  @Test
  void longRunsMeasureRangesLessOften() throws IOException {
    RunConfig config = SmallRun.config(folder);
    LearningRateSchedule schedule =
        LearningRateSchedule.of(config.schedule(), config.optimizer(), 1);
    LoopSettings settings =
        new LoopSettings(schedule, 1, 1, NO_VALIDATION, 0, 0, false, 10, 1, 1, 2, 1, true);
    assertThat(LongStream.rangeClosed(1, 20_000).filter(settings::measuresRangesIn).count())
        .isEqualTo(2000);
    assertThat(settings.measuresRangesIn(20_010)).isFalse();
    assertThat(settings.measuresRangesIn(20_020)).isTrue();
    assertThat(LongStream.rangeClosed(1, 1_000_000).filter(settings::measuresRangesIn).count())
        .isBetween(7000L, 8000L);
  }
}
