package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Which token goes to which expert, and where its rows are once sorted by expert. An assignment is
 * one of the {@code n·k} pairs of token and expert; {@code rows} counts those whose expert is here,
 * all of them unless experts are spread over devices. Nothing here is differentiable.
 */
public interface Routing {
  /**
   * Sorts the experts that were chosen, which are all here; assignments to one expert stay in their
   * order.
   *
   * @param chosen int64 {@code [n, k]}
   * @param dtype what the model computes in: a dry run in 16 bits is one of a GPU
   */
  static Routing of(Tensor chosen, int experts, Dtype dtype) {
    return LocalRouting.of(chosen, experts, dtype);
  }

  /** Where the rows of each expert that is here end, int32 {@code [experts here]}. */
  Tensor ends();

  /** How many rows the experts here are given, on average: their work is counted by it. */
  double rows();

  /** How many of the tokens here each expert of the model gets, int64 {@code [experts]}. */
  Tensor counts();

  /** Lets the tape own its tensors: functions hold on to them until the backward pass. */
  void holdOn(Tape tape);

  /** Copies each token's row once per expert of its: {@code [n, w] → [rows, w]}, sorted. */
  Tensor spread(Tensor rows);

  /**
   * Sums the sorted rows of each token: {@code [rows, w] → [n, w]}; the gradient of a spread.
   *
   * @param addend {@code [n, w]}, added to the sums; null for none
   */
  Tensor gather(Tensor sortedRows, @Nullable Tensor addend);

  /** Numbers {@code [n, k]} in the order of the sorted rows: {@code [rows, 1]}. */
  Tensor sort(Tensor values);

  /** The way back of {@link #sort}: {@code [rows, 1] → [n, k]}. */
  Tensor unsort(Tensor values);
}
