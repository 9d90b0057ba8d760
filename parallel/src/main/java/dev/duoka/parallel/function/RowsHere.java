package dev.duoka.parallel.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Tensor;

/**
 * Which of the tokens of all ranks that share some experts are for the experts here, and where
 * their rows are once sorted by expert, then by token; in a fixed room. Rows that are nobody's hold
 * anything. All ranks' tokens are {@code m}, k experts each.
 */
interface RowsHere {
  /** Where the rows of each expert that is here end, int32 {@code [experts here]}. */
  Tensor ends();

  /** Rows that a matrix of all tokens' rows, or numbers, has beyond them; they are 0. */
  long padding();

  /** Takes the tokens' rows: {@code [m + padding, w] → [room, w]}. */
  Tensor spread(Tensor rows);

  /** Sums the rows of each token that are here: {@code [room, w] → [m, w]}. */
  Tensor gather(Tensor sortedRows);

  /** Takes the assignments' numbers: {@code [m·k + padding, 1] → [room, 1]}. */
  Tensor sort(Tensor values);

  /** The way back of {@link #sort}, 0 for what is elsewhere: {@code [room, 1] → [m·k, 1]}. */
  Tensor unsort(Tensor values);

  /** Lets the tape own its tensors. */
  void holdOn(Tape tape);
}
