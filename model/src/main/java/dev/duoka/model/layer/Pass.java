package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.function.RotaryTable;
import org.jspecify.annotations.Nullable;

/**
 * One run through the model.
 *
 * @param tape records the functions
 * @param batch b, the number of sequences
 * @param firstPosition the position of the first token; 0 except when generating
 * @param rotary the rotations of the positions
 * @param cache keys and values of earlier tokens; null except when generating
 * @param balanceLoss the experts' auxiliary loss; null for none
 */
public record Pass(
    Tape tape,
    long batch,
    long firstPosition,
    RotaryTable rotary,
    @Nullable KeyValueCache cache,
    @Nullable BalanceLoss balanceLoss) {
  /** A training or validation pass over whole sequences. */
  public static Pass overSequences(
      Tape tape, long batch, RotaryTable rotary, @Nullable BalanceLoss balanceLoss) {
    return new Pass(tape, batch, 0, rotary, null, balanceLoss);
  }

  /** The same pass on another tape. */
  public Pass on(Tape other) {
    return new Pass(other, batch, firstPosition, rotary, cache, balanceLoss);
  }
}
