package dev.duoka.train.run;

import dev.duoka.base.Progress;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.parallel.step.Evaluation;
import dev.duoka.train.step.NamedBatches;
import dev.duoka.train.step.PairFigures;
import dev.duoka.train.step.RankState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The loss on the held-out documents. */
final class Validation {
  private final RankState rank;
  private final StopAgreement stop;
  private final List<NamedBatches> bySource;

  /**
   * Of one rank.
   *
   * @param bySource what is measured beside the whole, the same on all ranks
   */
  Validation(RankState rank, StopAgreement stop, List<NamedBatches> bySource) {
    this.rank = rank;
    this.stop = stop;
    this.bySource = bySource;
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
  Optional<ValidationResult> measure(Progress progress) {
    @Nullable ValidationBatches batches = rank.validation();
    if (batches == null) {
      return Optional.empty();
    }
    try {
      Evaluation whole = evaluate(batches, "validating", progress);
      Map<String, Double> numbers =
          new LinkedHashMap<>(PairFigures.of(whole.figures(), whole.counted()));
      for (NamedBatches source : bySource) {
        Evaluation ofSource =
            evaluate(source.batches(), "validating on " + source.name(), progress);
        numbers.put(source.name(), ofSource.mean());
      }
      return Optional.of(new ValidationResult(whole.mean(), numbers));
    } catch (Stopped e) {
      return Optional.empty();
    }
  }

  private Evaluation evaluate(ValidationBatches batches, String what, Progress progress) {
    int[] index = {0};
    return rank.step()
        .evaluator()
        .losses(
            batches.count(),
            () -> {
              if (stop.reached()) {
                throw new Stopped();
              }
              progress.reached(what, index[0], batches.count());
              return batches.read(index[0]++);
            });
  }

  /** Ends an evaluation early, on all ranks at once; nothing is wrong. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped while validating", null, false, false);
    }
  }
}
