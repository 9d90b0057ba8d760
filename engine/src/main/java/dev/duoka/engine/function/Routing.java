package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;

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
  /** Sorts the experts that were chosen, int64 {@code [n, k]}. */
  public static Routing of(Tensor chosen, int experts) {
    int k = Math.toIntExact(chosen.size(1));
    Tensor flat = Views.reshape(Views.dense(chosen), -1);
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
    return Indexing.rows(rows, token);
  }

  /** Sums the sorted rows of each token: {@code [n·k, w] → [n, w]}; the gradient of a spread. */
  Tensor gather(Tensor sortedRows) {
    Tensor perToken =
        Views.reshape(
            Indexing.rows(sortedRows, position),
            sortedRows.size(0) / expertsPerToken,
            expertsPerToken,
            sortedRows.size(1));
    return Reductions.sum(perToken, 1, false);
  }
}
