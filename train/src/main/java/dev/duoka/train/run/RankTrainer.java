package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.device.ProcessMemory;
import dev.duoka.train.schedule.LearningRateSchedule;
import dev.duoka.train.step.GradientRanges;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One rank's way through a run: steps, validations and checkpoints until it ends or is stopped. */
final class RankTrainer {
  /** Scales below this cannot represent any gradient: the run has diverged, not just overflowed. */
  private static final double SMALLEST_SCALE = 1.0 / 65536;

  /** How many steps the speed is the median of. */
  private static final int RECENT_STEPS = 100;

  /** What the loop works with; all belong to the rank. */
  record Rank(
      Communicator world,
      Device device,
      LanguageModel model,
      ShardedOptimizer optimizer,
      LossScaler scaler,
      TrainingStep step,
      BatchStream batches,
      @Nullable ValidationBatches validation) {
    static Rank of(RankState state, BatchStream batches) {
      return new Rank(
          state.world(),
          state.device(),
          state.model(),
          state.optimizer(),
          state.scaler(),
          state.step(),
          batches,
          state.validation());
    }
  }

  /**
   * What the loop goes by.
   *
   * @param totalSteps the run's length, which the schedule is made for
   * @param lastStep where this session ends; at most {@code totalSteps}
   */
  record Plan(
      LearningRateSchedule schedule,
      long totalSteps,
      long lastStep,
      int validateEvery,
      int saveEvery,
      boolean saveAtEnd,
      int rangesEvery,
      long tokensPerStep,
      int sequenceLength,
      double flopsPerToken,
      double peakFlops) {}

  private final Rank rank;
  private final Plan plan;
  private final RunEvents events;
  private final boolean readsLate;
  private final MedianWindow speeds = new MedianWindow(RECENT_STEPS);

  /** Where reading goes on after the step that was launched last. */
  private DataState batchEnd = DataState.START;

  /** The end of the last step; what happens from there on is time of the next one. */
  private long clock;

  RankTrainer(Rank rank, Plan plan, RunEvents events) {
    this(rank, plan, events, rank.device().isCuda() && !rank.scaler().isEnabled());
  }

  /**
   * A trainer that may read a step's loss only when the next step is launched, so that the device
   * never waits for the host.
   */
  RankTrainer(Rank rank, Plan plan, RunEvents events, boolean readsLate) {
    this.rank = rank;
    this.plan = plan;
    this.events = events;
    this.readsLate = readsLate;
  }

  /** A launched step and what its report needs. */
  private record Launched(
      long number,
      double learningRate,
      double scale,
      double dataSeconds,
      List<StepMetrics.GradientRange> ranges,
      TrainingStep.PendingStep step) {}

  /**
   * How the loop ended.
   *
   * @param tokensPerSecond the median of the last steps; NaN when there was none
   */
  record Outcome(Progress progress, double tokensPerSecond, boolean interrupted) {}

  /** Trains on from where the run is. Collective. */
  Outcome run(Progress from) {
    Progress at = from;
    clock = System.nanoTime();
    boolean interrupted = agreedToStop();
    Launched unread = null;
    while (at.steps() < plan.lastStep() && !interrupted) {
      Launched launched = launch(at.steps() + 1);
      if (unread != null) {
        at = at.withLoss(report(unread));
      }
      unread = launched;
      at = at.afterStep(batchEnd);
      if (!readsLate) { // before asking: who sees the report may want the run to stop
        at = at.withLoss(report(unread));
        unread = null;
      }
      boolean last = at.steps() == plan.lastStep();
      interrupted = agreedToStop();
      boolean validates = !interrupted && shouldValidate(at.steps(), last);
      boolean due = plan.saveEvery() > 0 && at.steps() % plan.saveEvery() == 0;
      boolean saves = due || interrupted || (last && plan.saveAtEnd());
      if (unread != null && (validates || saves || last)) {
        at = at.withLoss(report(unread));
        unread = null;
      }
      if (validates) {
        try {
          at = at.validated(validate(at.steps()));
        } catch (StoppedWhileValidating e) {
          interrupted = true;
          saves = true;
        }
      }
      if (saves) {
        events.save(rank, at);
      }
    }
    return new Outcome(at, speeds.median(), interrupted && at.steps() < plan.lastStep());
  }

  private Launched launch(long number) {
    long start = System.nanoTime();
    StepBatch batch = rank.batches().next();
    checkTargets(number, batch);
    double dataSeconds = (System.nanoTime() - start) * 1e-9;
    double learningRate = plan.schedule().rate(number - 1);
    double scale = rank.scaler().scale();
    boolean measure = plan.rangesEvery() > 0 && number % plan.rangesEvery() == 0;
    List<StepMetrics.GradientRange> ranges = new ArrayList<>();
    TrainingStep.PendingStep step =
        rank.step().launch(batch, learningRate, measure ? () -> addRanges(ranges, scale) : null);
    batchEnd = batch.after();
    return new Launched(number, learningRate, scale, dataSeconds, ranges, step);
  }

  private void addRanges(List<StepMetrics.GradientRange> ranges, double scale) {
    if (isFirst()) {
      ranges.addAll(GradientRanges.of(rank.model(), scale));
    }
  }

  /** Waits for a step, checks and reports its numbers; returns its loss. */
  private double report(Launched launched) {
    TrainingStep.Result result = launched.step().await();
    long end = System.nanoTime();
    double seconds = (end - clock) * 1e-9;
    clock = end;
    checkNumbers(launched.number(), result, launched.scale());
    double tokensPerSecond = plan.tokensPerStep() / seconds;
    speeds.add(tokensPerSecond);
    if (isFirst()) {
      StepMetrics metrics =
          new StepMetrics(
              launched.number(),
              result.loss(),
              result.furtherLoss(),
              launched.learningRate(),
              result.outcome().gradientNorm(),
              launched.scale(),
              result.outcome().applied(),
              launched.ranges(),
              plan.tokensPerStep(),
              tokensPerSecond,
              tokensPerSecond / plan.sequenceLength(),
              mfu(tokensPerSecond),
              new StepMetrics.StepTime(
                  launched.dataSeconds(),
                  result.forwardSeconds(),
                  result.backwardSeconds(),
                  result.optimizerSeconds(),
                  seconds),
              memory());
      double remaining =
          (plan.lastStep() - launched.number()) * plan.tokensPerStep() / speeds.median();
      events.step(metrics, remaining);
    }
    return result.loss();
  }

  double mfu(double tokensPerSecond) {
    return tokensPerSecond * plan.flopsPerToken() / (plan.peakFlops() * rank.world().size());
  }

  /** The loss is a mean over targets; without any it would be no number. */
  static void checkTargets(long number, StepBatch batch) {
    if (batch.stepTargets() == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "step " + number + " has no token to learn: all of its tokens are padding or masked",
          "Raise training.tokens_per_step, or check that the documents in data.sources are longer"
              + " than one token and that chats have answers");
    }
  }

  private void checkNumbers(long number, TrainingStep.Result result, double scale) {
    boolean broken = !Double.isFinite(result.loss());
    boolean skipped = !result.outcome().applied();
    boolean scaling = scale != 1;
    if (broken || (skipped && !scaling) || scale < SMALLEST_SCALE) {
      throw new DuokaException(
          ErrorCode.NUMERICS,
          "step "
              + number
              + " gave a loss of "
              + result.loss()
              + " and a gradient norm of "
              + result.outcome().gradientNorm()
              + (scaling ? " at loss scale " + scale : ""),
          "Lower optimizer.learning_rate"
              + (scaling ? ", set training.precision to bf16" : "")
              + " or lengthen schedule.warmup_steps; metrics.jsonl shows where it began, and"
              + " --resume goes on from the last checkpoint");
    }
  }

  private StepMetrics.MemoryUse memory() {
    MemoryLedger ledger = MemoryLedger.of(rank.device());
    Gpus.MemoryInUse driver =
        rank.device().isCuda()
            ? Gpus.memoryInUse(rank.device())
            : new Gpus.MemoryInUse(ProcessMemory.residentBytes(), false);
    return new StepMetrics.MemoryUse(
        ledger.liveBytes(), ledger.peakBytes(), driver.bytes(), driver.ofCard());
  }

  private boolean shouldValidate(long done, boolean last) {
    return rank.validation() != null
        && plan.validateEvery() > 0
        && (last || done % plan.validateEvery() == 0);
  }

  /** The loss on the held-out documents. All ranks leave it at the same micro-batch. */
  private double validate(long done) {
    ValidationBatches batches = Objects.requireNonNull(rank.validation());
    long start = System.nanoTime();
    int[] index = {0};
    double[] sums;
    try {
      sums =
          rank.step()
              .evaluate(
                  batches.count(),
                  () -> {
                    if (agreedToStop()) {
                      throw new StoppedWhileValidating();
                    }
                    return batches.read(index[0]++);
                  });
    } finally {
      clock += System.nanoTime() - start;
    }
    double loss = sums[0] / sums[1];
    if (isFirst()) {
      events.validated(done, loss);
    }
    return loss;
  }

  /** All ranks stop at the same step, whichever saw the request first. */
  private boolean agreedToStop() {
    double[] requests = {events.stopRequested() ? 1 : 0};
    rank.world().agreement().sum(requests);
    return requests[0] > 0;
  }

  private boolean isFirst() {
    return rank.world().rank() == 0;
  }

  /** Ends an evaluation early, on all ranks at once; nothing is wrong. */
  private static final class StoppedWhileValidating extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StoppedWhileValidating() {
      super("stopped while validating", null, false, false);
    }
  }
}
