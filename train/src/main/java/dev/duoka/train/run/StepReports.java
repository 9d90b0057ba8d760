package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.ExposedTime;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.device.DeviceMemory;
import dev.duoka.train.step.GradientRanges;
import dev.duoka.train.step.PairFigures;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads, checks and reports the numbers of a rank's steps in order. A step is read at once, or when
 * the next one is launched, so that the device never waits for the host; {@link #readAll} reads
 * what is left.
 */
final class StepReports {
  /** Scales below this cannot represent any gradient: the run has diverged, not just overflowed. */
  private static final double SMALLEST_SCALE = 1.0 / 65536;

  /** How many steps the speed is the median of. */
  private static final int RECENT_STEPS = 100;

  /** Between two questions to the driver about its memory. */
  private static final long LOOK_NANOS = 1_000_000_000L;

  /** The first steps, in which memory is taken: it is asked in each. */
  private static final int FIRST_STEPS = 3;

  private final RankState rank;
  private final LoopSettings settings;
  private final RunEvents events;
  private final boolean readsLate;
  private final MedianWindow speeds = new MedianWindow(RECENT_STEPS);
  private @Nullable LaunchedStep unread;
  private final RankMemoryReport rankMemory;
  private final Map<String, Long> elements = new LinkedHashMap<>();
  private double loss;
  private Gpus.@Nullable MemoryInUse lastInUse;
  private long lastLook;
  private int reported;

  /** What the time of the next step is not to hold. */
  private double leftOutSeconds;

  /**
   * Reports of the steps after a start.
   *
   * @param loss of the last step before them
   */
  StepReports(
      RankState rank, LoopSettings settings, RunEvents events, boolean readsLate, double loss) {
    this.rank = rank;
    this.settings = settings;
    this.events = events;
    this.readsLate = readsLate;
    this.loss = loss;
    this.rankMemory = new RankMemoryReport(rank);
    ModelConfig model = rank.model().config();
    ModelFactory.weights(model, model.mtpModules())
        .forEach(weight -> elements.put(weight.name(), weight.elements()));
    rank.step().markStart();
  }

  /** Takes over a step that was just launched; reads the one before it at the latest. */
  void add(LaunchedStep step) {
    readAll();
    unread = step;
    if (!readsLate) {
      readAll();
    }
  }

  /** Reads the step that was launched last, if it is not read yet. Collective. */
  void readAll() {
    LaunchedStep step = unread;
    if (step != null) {
      unread = null;
      loss = read(step);
    }
  }

  /** Of the last step that was read. */
  double loss() {
    return loss;
  }

  /** The median of the last steps; NaN when there was none. */
  double tokensPerSecond() {
    return speeds.median();
  }

  /** Time that is no step's; all steps before it were read. */
  void leaveOut(long nanoseconds) {
    leftOutSeconds += nanoseconds * 1e-9;
  }

  private double read(LaunchedStep step) {
    TrainingStep.Result result = step.pending().await();
    double seconds = result.seconds() - leftOutSeconds;
    leftOutSeconds = 0;
    check(step, result);
    ExposedTime.Recording recording = step.exposed();
    Map<String, Double> exposed = recording == null ? Map.of() : recording.seconds();
    double tokensPerSecond = settings.tokensPerStep() / seconds;
    speeds.add(tokensPerSecond);
    List<StepMetrics.RankUse> ranks = rankMemory.after(step.number());
    if (rank.world().rank() == 0) {
      double remaining =
          (settings.lastStep() - step.number()) * settings.tokensPerStep() / speeds.median();
      events.step(metrics(step, result, seconds, tokensPerSecond, exposed, ranks), remaining);
    }
    return result.loss();
  }

  private StepMetrics metrics(
      LaunchedStep step,
      TrainingStep.Result result,
      double seconds,
      double tokensPerSecond,
      Map<String, Double> exposed,
      List<StepMetrics.RankUse> ranks) {
    return new StepMetrics(
        step.number(),
        result.loss(),
        result.furtherLoss(),
        PairFigures.of(result.figures(), 1),
        step.learningRate(),
        result.outcome().gradientNorm(),
        step.scale(),
        result.outcome().applied(),
        GradientRanges.of(result.outcome().ranges(), elements),
        step.experts().await(),
        settings.tokensPerStep(),
        tokensPerSecond,
        tokensPerSecond / settings.sequenceLength(),
        settings.mfu(tokensPerSecond, rank.world().size()),
        new StepMetrics.StepTime(
            step.dataSeconds(),
            result.forwardSeconds(),
            result.backwardSeconds(),
            result.optimizerSeconds(),
            seconds),
        exposed,
        memory(ranks));
  }

  private StepMetrics.MemoryUse memory(List<StepMetrics.RankUse> ranks) {
    MemoryLedger ledger = MemoryLedger.of(rank.device());
    Gpus.MemoryInUse inUse = inUse();
    return new StepMetrics.MemoryUse(
        ledger.liveBytes(), ledger.peakBytes(), inUse.bytes(), inUse.ofCard(), ranks);
  }

  /** What the driver counts, asked at most once a second: it may take a millisecond to answer. */
  private Gpus.MemoryInUse inUse() {
    long now = System.nanoTime();
    Gpus.MemoryInUse last = lastInUse;
    if (last == null || now - lastLook > LOOK_NANOS || reported++ < FIRST_STEPS) {
      last = DeviceMemory.inUse(rank.device());
      lastInUse = last;
      lastLook = now;
    }
    return last;
  }

  private void check(LaunchedStep step, TrainingStep.Result result) {
    boolean broken = !Double.isFinite(result.loss());
    boolean skipped = !result.outcome().applied();
    boolean scaling = step.scale() != 1;
    if (broken || (skipped && !scaling) || step.scale() < SMALLEST_SCALE) {
      BrokenWeights.refuse(rank.model(), step.number());
      throw new DuokaException(
          ErrorCode.NUMERICS,
          "step "
              + step.number()
              + " gave a loss of "
              + result.loss()
              + " and a gradient norm of "
              + result.outcome().gradientNorm()
              + (scaling ? " at loss scale " + step.scale() : ""),
          "Lower optimizer.learning_rate"
              + (scaling ? ", set training.precision to bf16" : "")
              + " or lengthen schedule.warmup_steps; metrics.jsonl shows where it began, and"
              + " --resume goes on from the last checkpoint");
    }
  }
}
