package dev.duoka.train.run;

import dev.duoka.base.Progress;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.parallel.step.Evaluation;
import dev.duoka.train.step.RankState;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** The loss on the held-out documents. */
final class Validation {
  private final RankState rank;
  private final StopAgreement stop;

  Validation(RankState rank, StopAgreement stop) {
    this.rank = rank;
    this.stop = stop;
  }

  /** Whether there is anything to evaluate. */
  boolean isPossible() {
    return rank.validation() != null;
  }

  /**
   * Evaluates; empty when the run is to stop, in which case all ranks leave at the same
   * micro-batch. Collective.
   *
   * @param progress hears how many micro-batches were read
   */
  OptionalDouble loss(Progress progress) {
    @Nullable ValidationBatches batches = rank.validation();
    if (batches == null) {
      return OptionalDouble.empty();
    }
    int[] index = {0};
    try {
      Evaluation evaluation =
          rank.step()
              .evaluate(
                  batches.count(),
                  () -> {
                    if (stop.reached()) {
                      throw new Stopped();
                    }
                    progress.reached("validating", index[0], batches.count());
                    return batches.read(index[0]++);
                  });
      return OptionalDouble.of(evaluation.mean());
    } catch (Stopped e) {
      return OptionalDouble.empty();
    }
  }

  /** Ends an evaluation early, on all ranks at once; nothing is wrong. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped while validating", null, false, false);
    }
  }
}
