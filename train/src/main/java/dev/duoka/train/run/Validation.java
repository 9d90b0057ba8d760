package dev.duoka.train.run;

import dev.duoka.base.Progress;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.parallel.step.Evaluation;
import dev.duoka.train.evaluate.Evaluations;
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
  private final Evaluations evaluations;

  /**
   * Of one rank.
   *
   * @param bySource what is measured beside the whole, the same on all ranks
   * @param evaluations what the model is asked
   */
  Validation(
      RankState rank, StopAgreement stop, List<NamedBatches> bySource, Evaluations evaluations) {
    this.rank = rank;
    this.stop = stop;
    this.bySource = bySource;
    this.evaluations = evaluations;
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
      Evaluations.Outcome asked =
          evaluations.ask(
              rank,
              () -> {
                progress.reached("asking the model", 0, 0);
                stopIfWanted();
              });
      numbers.putAll(asked.figures());
      return Optional.of(new ValidationResult(whole.mean(), numbers, asked.answers()));
    } catch (Stopped e) {
      return Optional.empty();
    }
  }

  private void stopIfWanted() {
    if (stop.reached()) {
      throw new Stopped();
    }
  }

  private Evaluation evaluate(ValidationBatches batches, String what, Progress progress) {
    int[] index = {0};
    return rank.step()
        .evaluator()
        .losses(
            batches.count(),
            () -> {
              stopIfWanted();
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
