package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.model.LanguageModel;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.schedule.LearningRateSchedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** One rank's way through a run: steps, validations and checkpoints until it ends or is stopped. */
final class RankTrainer {
  /** Scales below this cannot represent any gradient: the run has diverged, not just overflowed. */
  private static final double SMALLEST_SCALE = 1.0 / 65536;

  /** What the loop works with; all belong to the rank. */
  record Rank(
      Collectives collectives,
      Device device,
      LanguageModel model,
      ShardedAdamW optimizer,
      LossScaler scaler,
      TrainingStep step,
      BatchStream batches,
      @Nullable ValidationBatches validation) {}

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
  private final List<Double> speeds = new ArrayList<>();
  private double lastLoss = Double.NaN;
  private OptionalDouble validationLoss = OptionalDouble.empty();

  RankTrainer(Rank rank, Plan plan, RunEvents events) {
    this.rank = rank;
    this.plan = plan;
    this.events = events;
  }

  /** How the loop ended. */
  record Outcome(
      long steps,
      double loss,
      OptionalDouble validationLoss,
      double tokensPerSecond,
      boolean interrupted) {}

  /**
   * Trains from {@code firstStep}, the number of steps taken so far. Collective.
   *
   * @param data where the data stands
   */
  Outcome run(long firstStep, DataState data) {
    long done = firstStep;
    DataState position = data;
    boolean interrupted = false;
    long saved = firstStep;
    while (done < plan.lastStep() && !interrupted) {
      long number = done + 1;
      position = step(number);
      done = number;
      boolean last = done == plan.lastStep();
      interrupted = agreedToStop();
      if (shouldValidate(done, last || interrupted)) {
        validate(done);
      }
      boolean due = plan.saveEvery() > 0 && done % plan.saveEvery() == 0;
      if (due || ((last || interrupted) && plan.saveAtEnd()) || interrupted) {
        events.save(rank, done, position, validationLoss);
        saved = done;
      }
    }
    if (saved != done && plan.saveAtEnd()) {
      events.save(rank, done, position, validationLoss);
    }
    return new Outcome(
        done, lastLoss, validationLoss, median(speeds), interrupted && done < plan.lastStep());
  }

  private DataState step(long number) {
    long start = System.nanoTime();
    StepBatch batch = rank.batches().next();
    double dataSeconds = (System.nanoTime() - start) * 1e-9;
    double learningRate = plan.schedule().rate(number - 1);
    double scale = rank.scaler().scale();
    boolean measure = plan.rangesEvery() > 0 && number % plan.rangesEvery() == 0;
    List<StepMetrics.GradientRange> ranges = new ArrayList<>();
    TrainingStep.Result result =
        rank.step()
            .run(
                batch,
                learningRate,
                () -> {
                  if (measure && isFirst()) {
                    ranges.addAll(GradientRanges.of(rank.model(), scale));
                  }
                });
    double seconds = (System.nanoTime() - start) * 1e-9;
    checkNumbers(number, result, scale);
    lastLoss = result.loss();
    double tokensPerSecond = plan.tokensPerStep() / seconds;
    speeds.add(tokensPerSecond);
    if (isFirst()) {
      StepMetrics metrics =
          new StepMetrics(
              number,
              result.loss(),
              result.furtherLoss(),
              learningRate,
              result.outcome().gradientNorm(),
              scale,
              result.outcome().applied(),
              ranges,
              plan.tokensPerStep(),
              tokensPerSecond,
              tokensPerSecond / plan.sequenceLength(),
              mfu(tokensPerSecond),
              new StepMetrics.StepTime(
                  dataSeconds,
                  result.forwardSeconds(),
                  result.backwardSeconds(),
                  result.optimizerSeconds(),
                  seconds),
              memory());
      double remaining = (plan.lastStep() - number) * plan.tokensPerStep() / median(speeds);
      events.step(metrics, remaining);
    }
    return batch.after();
  }

  double mfu(double tokensPerSecond) {
    return tokensPerSecond * plan.flopsPerToken() / (plan.peakFlops() * rank.collectives().size());
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
          "Lower optimizer.learning_rate, lengthen schedule.warmup_steps or use precision bf16;"
              + " metrics.jsonl shows where it began, and --resume goes on from the last"
              + " checkpoint");
    }
  }

  private StepMetrics.MemoryUse memory() {
    MemoryLedger ledger = MemoryLedger.of(rank.device());
    long driver =
        rank.device().isCuda()
            ? Gpus.memoryOfThisProcess(rank.device()).orElse(0L)
            : ProcessMemory.residentBytes();
    return new StepMetrics.MemoryUse(ledger.liveBytes(), ledger.peakBytes(), driver);
  }

  private boolean shouldValidate(long done, boolean ending) {
    return rank.validation() != null
        && plan.validateEvery() > 0
        && (ending || done % plan.validateEvery() == 0);
  }

  private void validate(long done) {
    ValidationBatches batches = rank.validation();
    if (batches == null) {
      return;
    }
    int[] index = {0};
    double[] sums = rank.step().evaluate(batches.count(), () -> batches.read(index[0]++));
    double loss = sums[0] / sums[1];
    validationLoss = OptionalDouble.of(loss);
    if (isFirst()) {
      events.validated(done, loss);
    }
  }

  /** All ranks stop at the same step, whichever saw the request first. */
  private boolean agreedToStop() {
    double[] requests = {events.stopRequested() ? 1 : 0};
    rank.collectives().allReduce(requests);
    return requests[0] > 0;
  }

  private boolean isFirst() {
    return rank.collectives().rank() == 0;
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
  }
}
