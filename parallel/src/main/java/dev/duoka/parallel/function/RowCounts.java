package dev.duoka.parallel.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.DeferredRead;
import org.jspecify.annotations.Nullable;

/**
 * How many rows the experts of a rank are given, which its device knows first: one layer after the
 * other. The host asks for a number when it needs room for the rows, and launches meanwhile what
 * else there is to do. One thread.
 */
final class RowCounts implements AutoCloseable {
  private @Nullable DeferredRead reading;
  private @Nullable Count last;

  /** A number of rows that is on its way to the host. */
  static final class Count {
    private final DeferredRead reading;
    private long rows = -1;

    private Count(DeferredRead reading) {
      this.reading = reading;
    }

    /** The number; waits until it is there. */
    long rows() {
      if (rows < 0) {
        double[] ends = reading.await();
        rows = (long) ends[ends.length - 1];
      }
      return rows;
    }
  }

  /**
   * Launches the way of a number to the host.
   *
   * @param ends where the rows of each expert end, int32 {@code [experts here]}
   */
  Count of(Tensor ends) {
    if (last != null) {
      last.rows(); // before what it is read by is used again
    }
    if (reading == null) {
      reading = new DeferredRead(ends.device(), Dtype.INT32, Math.toIntExact(ends.elements()));
    }
    reading.start(ends);
    last = new Count(reading);
    return last;
  }

  @Override
  public void close() {
    if (reading != null) {
      reading.close();
    }
  }
}
