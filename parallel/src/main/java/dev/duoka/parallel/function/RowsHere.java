package dev.duoka.parallel.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Tensor;

/**
 * Which of the tokens of all ranks that share some experts are for the experts here, and where
 * their rows are once sorted by expert, then by token. All ranks' tokens are {@code m}, k experts
 * each.
 */
interface RowsHere {
  /** Where the rows of each expert that is here end, int32 {@code [experts here]}. */
  Tensor ends();

  /** Takes the tokens' rows: {@code [m, w] → [rows, w]}. */
  Tensor spread(Tensor rows);

  /** Sums the rows of each token that are here: {@code [rows, w] → [m, w]}. */
  Tensor gather(Tensor sortedRows);

  /** Takes the assignments' numbers: {@code [m·k, 1] → [rows, 1]}. */
  Tensor sort(Tensor values);

  /** The way back of {@link #sort}, 0 for what is elsewhere: {@code [rows, 1] → [m·k, 1]}. */
  Tensor unsort(Tensor values);

  /** Lets the tape own its tensors. */
  void holdOn(Tape tape);
}
