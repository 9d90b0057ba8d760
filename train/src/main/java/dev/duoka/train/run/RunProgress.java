package dev.duoka.train.run;

import dev.duoka.data.batch.DataState;
import java.util.OptionalDouble;

/**
 * How far a run is.
 *
 * @param steps taken so far, in all sessions
 * @param data where reading goes on
 * @param loss of the last step that was read; NaN before the first
 * @param validationLoss of the last evaluation
 */
record RunProgress(long steps, DataState data, double loss, OptionalDouble validationLoss) {
  static final RunProgress START =
      new RunProgress(0, DataState.START, Double.NaN, OptionalDouble.empty());

  RunProgress afterStep(DataState next) {
    return new RunProgress(steps + 1, next, loss, validationLoss);
  }

  RunProgress withLoss(double read) {
    return new RunProgress(steps, data, read, validationLoss);
  }

  RunProgress validated(double measured) {
    return new RunProgress(steps, data, loss, OptionalDouble.of(measured));
  }
}
