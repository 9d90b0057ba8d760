package dev.duoka.parallel.function;

import dev.duoka.base.Resources;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;

/**
 * How many rows the experts of a rank have room for, as a multiple of what they get when all
 * experts get as many. With a fixed room no host needs to know where tokens go, and no device waits
 * for one. More rows than that are left out and noted here: what was computed is then worth
 * nothing, and is to be computed again with rows that are counted ({@link #count}).
 *
 * <p>One for all layers of a rank. One thread.
 */
public final class ExpertRoom implements AutoCloseable {
  /** What is noted of loads is in parts of the mean load. */
  static final int PARTS = 1000;

  private final double factor;
  private final boolean always;
  private final Tensor fullest;
  private final Resources owned;
  private boolean counted;
  private int fullestOnHost;

  /**
   * A room.
   *
   * @param factor at least 1; with as many as ranks share the experts everything fits
   */
  public ExpertRoom(double factor, Device device) {
    this(factor, device, false);
  }

  private ExpertRoom(double factor, Device device, boolean always) {
    this.factor = factor;
    this.always = always;
    try (Resources made = new Resources();
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      fullest = made.own(Scope.detach(Tensors.zeros(Dtype.INT32, device, 1)));
      owned = made.release();
    }
  }

  /** No fixed room: rows are always counted. */
  public static ExpertRoom none(Device device) {
    return new ExpertRoom(Double.POSITIVE_INFINITY, device, true);
  }

  /** Whether rows are counted, by the hosts. */
  public boolean isCounted() {
    return always || counted;
  }

  /** Counts the rows from here on, whatever their number; or gives them a fixed room again. */
  public void count(boolean rows) {
    counted = rows;
  }

  /**
   * The room for this many rows on average.
   *
   * @param most rows that can come
   */
  long rows(long mean, long most) {
    return Math.max(1, Math.min(most, (long) Math.ceil(factor * mean)));
  }

  /** Where kernels note the largest load that found no room, in {@link #PARTS} of the mean. */
  Tensor fullest() {
    return fullest;
  }

  /** As kernels do: notes a load that found no room. */
  void note(long rows, long mean) {
    fullestOnHost = Math.max(fullestOnHost, Math.toIntExact(rows * PARTS / Math.max(1, mean)));
  }

  /**
   * The largest load since the last call that found no room, as a multiple of the mean; 0 when all
   * rows had room. Waits for the device.
   */
  public double takeFullest() {
    if (fullest.device().isMeta()) {
      return 0;
    }
    int noted = fullestOnHost;
    if (fullest.device().isCuda()) {
      noted = Math.max(noted, HostCopy.ints(fullest)[0]);
    }
    if (noted > 0) {
      fullestOnHost = 0;
      Tensors.zero(fullest);
    }
    return noted / (double) PARTS;
  }

  @Override
  public void close() {
    owned.close();
  }
}
