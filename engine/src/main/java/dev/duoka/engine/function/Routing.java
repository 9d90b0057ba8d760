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
 * Which token goes to which expert, and where its rows are once sorted by expert. An assignment is
 * one of the {@code n·k} pairs of token and expert. Nothing here is differentiable, and no count is
 * read back to the host.
 *
 * @param order int64 {@code [n·k]}: the assignment at each sorted position
 * @param position int64 {@code [n·k]}: the sorted position of each assignment
 * @param token int64 {@code [n·k]}: the token at each sorted position
 * @param ends int32 {@code [experts]}: where each expert's rows end
 * @param counts int64 {@code [experts]}: how many rows each expert has
 * @param expertsPerToken k
 */
public record Routing(
    Tensor order, Tensor position, Tensor token, Tensor ends, Tensor counts, int expertsPerToken) {
  /**
   * Sorts the experts that were chosen; assignments to one expert stay in their order.
   *
   * @param chosen int64 {@code [n, k]}
   * @param dtype what the model computes in: a dry run in 16 bits is one of a GPU
   */
  public static Routing of(Tensor chosen, int experts, Dtype dtype) {
    int k = Math.toIntExact(chosen.size(1));
    Tensor flat = Views.reshape(Views.dense(chosen), -1);
    if (RoutingKernels.take(flat, experts, dtype)) {
      RoutingKernels.Sorted sorted = RoutingKernels.sort(flat, experts, k, dtype);
      return new Routing(
          sorted.order(), sorted.position(), sorted.token(), sorted.ends(), sorted.counts(), k);
    }
    Tensor order = Indexing.sortedOrder(flat);
    Tensor position = Indexing.sortedOrder(order); // the inverse of a permutation sorts it
    Tensor counts = Indexing.counts(flat, experts);
    Tensor ends = Copies.cast(Reductions.cumulativeSum(counts, 0), Dtype.INT32);
    return new Routing(order, position, Elementwise.floorDivide(order, k), ends, counts, k);
  }

  /** Lets the tape own these tensors: functions hold on to them until the backward pass. */
  public void holdOn(Tape tape) {
    tape.hold(order);
    tape.hold(position);
    tape.hold(token);
    tape.hold(ends);
    tape.hold(counts);
  }

  /** Copies each token's row once per expert of its: {@code [n, w] → [n·k, w]}, sorted. */
  Tensor spread(Tensor rows) {
    return RoutingKernels.takeRows(rows)
        ? RoutingKernels.spread(rows, position, expertsPerToken)
        : Indexing.rows(rows, token);
  }

  /**
   * Sums the sorted rows of each token: {@code [n·k, w] → [n, w]}; the gradient of a spread.
   *
   * @param addend {@code [n, w]}, added to the sums; null for none
   */
  Tensor gather(Tensor sortedRows, @Nullable Tensor addend) {
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

  /** Numbers {@code [n, k]} in the order of the sorted rows: {@code [n·k, 1]}. */
  Tensor sort(Tensor values) {
    return RoutingKernels.takeValues(values)
        ? RoutingKernels.values(values, order, values.elements(), 1)
        : Indexing.rows(Views.reshape(Views.dense(values), -1, 1), order);
  }

  /** The way back of {@link #sort}: {@code [n·k, 1] → [n, k]}. */
  Tensor unsort(Tensor values) {
    return RoutingKernels.takeValues(values)
        ? RoutingKernels.values(
            values, position, values.elements() / expertsPerToken, expertsPerToken)
        : Views.reshape(Indexing.rows(values, position), -1, expertsPerToken);
  }
}
