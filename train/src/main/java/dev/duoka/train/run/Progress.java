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
record Progress(long steps, DataState data, double loss, OptionalDouble validationLoss) {
  static final Progress START =
      new Progress(0, DataState.START, Double.NaN, OptionalDouble.empty());

  Progress afterStep(DataState next) {
    return new Progress(steps + 1, next, loss, validationLoss);
  }

  Progress withLoss(double read) {
    return new Progress(steps, data, read, validationLoss);
  }

  Progress validated(double measured) {
    return new Progress(steps, data, loss, OptionalDouble.of(measured));
  }
}
