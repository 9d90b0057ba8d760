package dev.duoka.parallel.function;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RoutingKernels;
import java.util.function.LongSupplier;

/**
 * Sorted and moved by our kernels. Of all that is read back to the host the number of rows.
 *
 * @param ends int32 {@code [experts here]}
 * @param position of each assignment among the rows here, int64 {@code [m·k]}; -1 for none
 * @param perToken k
 * @param rows how many there are
 */
record KernelRows(Tensor ends, Tensor position, int perToken, LongSupplier rows)
    implements RowsHere {
  /**
   * Sorts, and launches the way of the number of rows to the host.
   *
   * @param chosen int64 {@code [m·k]}
   * @param experts of the model
   * @param first expert that is here
   * @param here experts
   * @param dtype what the model computes in
   */
  static KernelRows of(
      Tensor chosen,
      int experts,
      int perToken,
      int first,
      int here,
      Dtype dtype,
      RowCounts counts) {
    KernelRows sorted = sorted(chosen, experts, perToken, first, here, dtype, () -> 0);
    RowCounts.Count count = counts.of(sorted.ends);
    return new KernelRows(sorted.ends, sorted.position, perToken, count::rows);
  }

  /** What a dry run books: every expert gets as many. */
  static KernelRows balanced(
      Tensor chosen, int experts, int perToken, int here, Dtype dtype, long rows) {
    return sorted(chosen, experts, perToken, 0, here, dtype, () -> rows);
  }

  private static KernelRows sorted(
      Tensor chosen,
      int experts,
      int perToken,
      int first,
      int here,
      Dtype dtype,
      LongSupplier rows) {
    RoutingKernels.Sorted all = RoutingKernels.sort(chosen, experts, perToken, dtype);
    Tensor ends = RoutingKernels.keep(all, first, here, dtype);
    all.order().close();
    all.token().close();
    all.ends().close();
    all.counts().close();
    return new KernelRows(ends, all.position(), perToken, rows);
  }

  @Override
  public Tensor spread(Tensor tokens) {
    requireServed(tokens);
    return RoutingKernels.spread(tokens, position, perToken, rows.getAsLong());
  }

  @Override
  public Tensor gather(Tensor sortedRows) {
    requireServed(sortedRows);
    return RoutingKernels.gather(sortedRows, position, perToken, null);
  }

  @Override
  public Tensor sort(Tensor values) {
    return RoutingKernels.place(values, position, rows.getAsLong(), 1);
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
