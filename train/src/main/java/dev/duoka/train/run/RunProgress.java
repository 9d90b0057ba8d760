package dev.duoka.train.run;

import dev.duoka.data.batch.DataState;
import dev.duoka.train.config.ValidationSettings;
import java.util.OptionalDouble;

/**
 * How far a run is.
 *
 * @param steps taken so far, in all sessions
 * @param data where reading goes on
 * @param loss of the last step that was read; NaN before the first
 * @param validationLoss of the last evaluation
 * @param best which validation was the best
 */
record RunProgress(
    long steps, DataState data, double loss, OptionalDouble validationLoss, BestStep best) {
  static final RunProgress START =
      new RunProgress(0, DataState.START, Double.NaN, OptionalDouble.empty(), BestStep.NONE);

  RunProgress afterStep(DataState next) {
    return new RunProgress(steps + 1, next, loss, validationLoss, best);
  }

  RunProgress withLoss(double read) {
    return new RunProgress(steps, data, read, validationLoss, best);
  }

  RunProgress validated(ValidationResult result, ValidationSettings settings) {
    return new RunProgress(
        steps,
        data,
        loss,
        OptionalDouble.of(result.loss()),
        best.after(steps, result.of(settings.bestBy()), settings));
  }
}
