package dev.duoka.parallel.step;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.model.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What a rank's model makes of sequences, without gradients, with the weights as they are. All
 * methods are collective and wait for the device.
 */
public final class Evaluator {
  /** Micro-batches that are evaluated in one go, for each stage of the pipeline. */
  private static final int TOGETHER = 4;

  /** That sums of log-probabilities are taken, whatever is compared with them. */
  private static final Objective SEQUENCES =
      new Objective.Preference(new PreferenceLoss.Terms(1, 0, 0), 0);

  private final StagePass stage;
  private final ScheduleExecutor executor;
  private final PipelineSettings pipeline;
  private final Objective trained;

  /**
   * Of a rank.
   *
   * @param trained what its training makes small
   */
  Evaluator(
      StagePass stage, ScheduleExecutor executor, PipelineSettings pipeline, Objective trained) {
    this.stage = stage;
    this.executor = executor;
    this.pipeline = pipeline;
    this.trained = trained;
  }

  /** How many micro-batches are evaluated in one go, by so many stages of a pipeline. */
  public static int together(int stages) {
    return stages == 1 ? 1 : TOGETHER * stages;
  }

  /**
   * How many sequences a model is asked in one micro-batch: an even number.
   *
   * @param microBatch sequences in one of training
   */
  public static int asked(int microBatch) {
    return microBatch + microBatch % 2;
  }

  /**
   * The loss that is trained, of other micro-batches, over all ranks.
   *
   * @param count micro-batches of this rank
   */
  public Evaluation losses(int count, Supplier<MicroBatch> next) {
    EvaluatedLosses losses = new EvaluatedLosses(trained, false);
    boolean pairs = trained instanceof Objective.Preference;
    double[] counted = {0};
    run(count, next, losses, it -> counted[0] += pairs ? it.realPairs() : it.realTargets());
    double[] sums = Arrays.copyOf(losses.sums(), losses.sums().length + 1);
    if (!(pairs ? stage.countsSequences() : stage.hasLosses())) {
      Arrays.fill(sums, 0);
    }
    sums[sums.length - 1] = stage.countsSequences() ? counted[0] : 0;
    stage.groups().world().agreement().sum(sums);
    return new Evaluation(
        sums[0],
        sums[sums.length - 1],
        pairs ? Arrays.stream(sums, 1, sums.length - 1).boxed().toList() : List.of());
  }

  /**
   * The log-probability of the targets of each sequence.
   *
   * @param count micro-batches of this rank, all of one even number of sequences
   * @param withoutAdapters whether the model computes as if it had none
   * @return those of all data-parallel ranks, one rank's sequences behind the other's
   */
  public double[] logProbabilities(int count, Supplier<MicroBatch> next, boolean withoutAdapters) {
    EvaluatedLosses losses = new EvaluatedLosses(SEQUENCES, withoutAdapters);
    int[] sequences = {0};
    run(count, next, losses, microBatch -> sequences[0] += microBatch.rows());
    return ofAllRanks(losses.ofSequences(), sequences[0]);
  }

  /**
   * The most likely token where each sequence has its only target, whatever that is; of equally
   * likely ones the first.
   *
   * @param microBatch of this rank, as many sequences on each
   * @return those of all data-parallel ranks, one rank's sequences behind the other's
   */
  public int[] mostLikely(MicroBatch microBatch) {
    EvaluatedLosses losses = new EvaluatedLosses(new Objective.MostLikely(), false);
    run(1, () -> microBatch, losses, _ -> {});
    return Arrays.stream(ofAllRanks(losses.ofSequences(), microBatch.rows()))
        .mapToInt(token -> (int) token)
        .toArray();
  }

  private double[] ofAllRanks(List<double[]> mine, int sequences) {
    double[] all = new double[sequences * stage.groups().mesh().data()];
    if (stage.countsSequences()) {
      int at = stage.groups().mesh().dataRank(stage.groups().world().rank()) * sequences;
      for (double[] ofMicroBatch : mine) {
        System.arraycopy(ofMicroBatch, 0, all, at, ofMicroBatch.length);
        at += ofMicroBatch.length;
      }
    }
    stage.groups().world().agreement().sum(all);
    return all;
  }

  private void run(
      int count, Supplier<MicroBatch> next, MicroBatchLosses losses, Consumer<MicroBatch> seen) {
    int ranks = stage.groups().mesh().pipeline();
    for (int done = 0; done < count; ) {
      int together = Math.min(count - done, together(ranks));
      List<MicroBatch> microBatches = new ArrayList<>();
      for (int i = 0; i < together; i++) {
        microBatches.add(next.get());
      }
      executor.evaluate(pipeline.evaluation(ranks, together), microBatches, losses);
      microBatches.forEach(seen);
      done += together;
    }
  }
}
