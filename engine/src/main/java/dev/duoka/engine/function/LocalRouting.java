package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RoutingKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The routing to experts that are all here. No count is read back to the host.
 *
 * @param order int64 {@code [n·k]}: the assignment at each sorted position
 * @param position int64 {@code [n·k]}: the sorted position of each assignment
 * @param token int64 {@code [n·k]}: the token at each sorted position
 * @param ends int32 {@code [experts]}: where each expert's rows end
 * @param counts int64 {@code [experts]}: how many rows each expert has
 * @param expertsPerToken k
 */
record LocalRouting(
    Tensor order, Tensor position, Tensor token, Tensor ends, Tensor counts, int expertsPerToken)
    implements Routing {
  /**
   * Sorts the experts that were chosen; assignments to one expert stay in their order.
   *
   * @param chosen int64 {@code [n, k]}
   * @param dtype what the model computes in: a dry run in 16 bits is one of a GPU
   */
  static LocalRouting of(Tensor chosen, int experts, Dtype dtype) {
    int k = Math.toIntExact(chosen.size(1));
    Tensor flat = Views.reshape(Views.dense(chosen), -1);
    if (RoutingKernels.take(flat, experts, dtype)) {
      RoutingKernels.Sorted sorted = RoutingKernels.sort(flat, experts, k, dtype);
      return new LocalRouting(
          sorted.order(), sorted.position(), sorted.token(), sorted.ends(), sorted.counts(), k);
    }
    Tensor order = Indexing.sortedOrder(flat);
    Tensor position = Indexing.sortedOrder(order); // the inverse of a permutation sorts it
    Tensor counts = Indexing.counts(flat, experts);
    Tensor ends = Copies.cast(Reductions.cumulativeSum(counts, 0), Dtype.INT32);
    return new LocalRouting(order, position, Elementwise.floorDivide(order, k), ends, counts, k);
  }

  @Override
  public double rows() {
    return position.elements();
  }

  @Override
  public void holdOn(Tape tape) {
    tape.hold(order);
    tape.hold(position);
    tape.hold(token);
    tape.hold(ends);
    tape.hold(counts);
  }

  @Override
  public Tensor spread(Tensor rows) {
    return RoutingKernels.takeRows(rows)
        ? RoutingKernels.spread(rows, position, expertsPerToken, position.elements())
        : Indexing.rows(rows, token);
  }

  @Override
  public Tensor gather(Tensor sortedRows, @Nullable Tensor addend) {
    if (RoutingKernels.takeRows(sortedRows)) {
      return RoutingKernels.gather(
          sortedRows, position, expertsPerToken, addend == null ? null : Views.dense(addend));
    }
    Tensor perToken =
        Views.reshape(
            Indexing.rows(sortedRows, position),
            sortedRows.size(0) / expertsPerToken,
            expertsPerToken,
            sortedRows.size(1));
    Tensor sums = Reductions.sum(perToken, 1, false);
    return addend == null ? sums : Elementwise.add(sums, addend);
  }

  @Override
  public Tensor sort(Tensor values) {
    return RoutingKernels.takeValues(values)
        ? RoutingKernels.values(values, order, values.elements(), 1)
        : Indexing.rows(Views.reshape(Views.dense(values), -1, 1), order);
  }

  @Override
  public Tensor unsort(Tensor values) {
    return RoutingKernels.takeValues(values)
        ? RoutingKernels.values(
            values, position, values.elements() / expertsPerToken, expertsPerToken)
        : Views.reshape(Indexing.rows(values, position), -1, expertsPerToken);
  }
}
