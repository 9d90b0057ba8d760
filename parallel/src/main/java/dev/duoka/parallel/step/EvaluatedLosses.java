package dev.duoka.parallel.step;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.model.Losses;
import dev.duoka.model.Objective;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Losses that are only added up; waits for the device with each micro-batch. */
final class EvaluatedLosses implements MicroBatchLosses {
  private final Objective objective;
  private final boolean leavesOutAdapters;

  /** Sum of losses, then of figures of pairs. */
  private final double[] sums = new double[1 + PreferenceLoss.FIGURES];

  private final List<double[]> ofSequences = new ArrayList<>();

  EvaluatedLosses(Objective objective, boolean leavesOutAdapters) {
    this.objective = objective;
    this.leavesOutAdapters = leavesOutAdapters;
  }

  /** The sum of losses, and where pairs were compared the sums of their figures. */
  double[] sums() {
    return sums;
  }

  /**
   * Of the sequences of each micro-batch the log-probabilities, where pairs were compared, or the
   * most likely tokens.
   */
  List<double[]> ofSequences() {
    return ofSequences;
  }

  @Override
  public Objective objective() {
    return objective;
  }

  @Override
  public boolean leavesOutAdapters() {
    return leavesOutAdapters;
  }

  @Override
  public @Nullable BalanceLoss balance(MicroBatch microBatch) {
    return null;
  }

  @Override
  public void add(Losses ofMicroBatch) {
    if (ofMicroBatch.main().value().device().isMeta()) {
      return; // shapes alone
    }
    if (objective instanceof Objective.MostLikely) {
      ofSequences.add(HostCopy.doubles(ofMicroBatch.main().value()));
      return;
    }
    sums[0] += HostCopy.item(ofMicroBatch.main().value());
    Losses.OfPairs pairs = ofMicroBatch.ofPairs();
    if (pairs != null) {
      double[] figures = HostCopy.doubles(pairs.figures());
      for (int i = 0; i < figures.length; i++) {
        sums[1 + i] += figures[i];
      }
      ofSequences.add(HostCopy.doubles(pairs.logProbabilities()));
    }
  }
}
