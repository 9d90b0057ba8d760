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
 * @param owesValidation whether the validation that belongs to {@code steps} was not made, because
 *     the run was stopped before or within it; who goes on begins with it
 */
record RunProgress(
    long steps,
    DataState data,
    double loss,
    OptionalDouble validationLoss,
    BestStep best,
    boolean owesValidation) {
  static final RunProgress START =
      new RunProgress(0, DataState.START, Double.NaN, OptionalDouble.empty(), BestStep.NONE, false);

  RunProgress afterStep(DataState next) {
    return new RunProgress(steps + 1, next, loss, validationLoss, best, false);
  }

  RunProgress withLoss(double read) {
    return new RunProgress(steps, data, read, validationLoss, best, owesValidation);
  }

  /** With a validation that is due, until it is {@link #validated}. */
  RunProgress owing(boolean validation) {
    return new RunProgress(steps, data, loss, validationLoss, best, validation);
  }

  RunProgress validated(ValidationResult result, ValidationSettings settings) {
    return new RunProgress(
        steps,
        data,
        loss,
        OptionalDouble.of(result.loss()),
        best.after(steps, result.of(settings.bestBy()), settings),
        false);
  }
}
