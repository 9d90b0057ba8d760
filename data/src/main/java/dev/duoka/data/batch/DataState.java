package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * How far training has read: all that a checkpoint must hold to resume the data exactly.
 *
 * @param epoch passes over the data that are complete
 * @param position sequences taken of the current pass
 */
public record DataState(long epoch, long position) {
  /** Nothing read yet. */
  public static final DataState START = new DataState(0, 0);

  /** Refuses negative numbers. */
  public DataState {
    if (epoch < 0 || position < 0) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "a data state of epoch " + epoch + ", position " + position + " cannot be",
          "Resume from another checkpoint.");
    }
  }

  /** The state after {@code sequences} more of a data set of {@code count} sequences. */
  public DataState advance(long sequences, long count) {
    long reached = Math.addExact(position, sequences);
    return new DataState(epoch + reached / count, reached % count);
  }
}
