package dev.duoka.parallel.function;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RoutingKernels;

/**
 * Sorted and moved by our kernels: nothing is read back to the host.
 *
 * @param ends int32 {@code [experts here]}
 * @param position of each assignment among the rows here, int64 {@code [m·k]}; -1 for none
 * @param perToken k
 * @param room rows
 */
record KernelRows(Tensor ends, Tensor position, int perToken, long room) implements RowsHere {
  /**
   * Sorts.
   *
   * @param chosen int64 {@code [m·k]}
   * @param experts of the model
   * @param first expert that is here
   * @param here experts
   * @param rows that there is room for
   * @param mean rows on average
   */
  static KernelRows of(
      Tensor chosen,
      int experts,
      int perToken,
      int first,
      int here,
      long rows,
      long mean,
      Dtype dtype,
      ExpertRoom room) {
    RoutingKernels.Sorted all = RoutingKernels.sort(chosen, experts, perToken, dtype);
    Tensor ends =
        RoutingKernels.keep(
            all, new RoutingKernels.Kept(first, here, rows, mean), room.fullest(), dtype);
    all.order().close();
    all.token().close();
    all.ends().close();
    all.counts().close();
    return new KernelRows(ends, all.position(), perToken, rows);
  }

  @Override
  public long padding() {
    return 0;
  }

  @Override
  public Tensor spread(Tensor rows) {
    requireServed(rows);
    return RoutingKernels.spread(rows, position, perToken, room);
  }

  @Override
  public Tensor gather(Tensor sortedRows) {
    requireServed(sortedRows);
    return RoutingKernels.gather(sortedRows, position, perToken, null);
  }

  @Override
  public Tensor sort(Tensor values) {
    return RoutingKernels.place(values, position, room, 1);
  }

  @Override
  public Tensor unsort(Tensor values) {
    return RoutingKernels.values(values, position, position.elements(), 1);
  }

  private static void requireServed(Tensor rows) {
    if (!RoutingKernels.takeRows(rows)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "rows " + rows + " cannot go to experts on other GPUs",
          "Spread experts only where the model's width is a multiple of 8");
    }
  }

  @Override
  public void holdOn(Tape tape) {
    tape.hold(ends);
    tape.hold(position);
  }
}
