package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Bits;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Random numbers for each element of rows of tokens, a function of a key, the token's number within
 * the step and the column alone: so they are the same wherever a row is computed, and when it is
 * computed again.
 */
final class TokenChance {
  /** Bits of each number. */
  static final int BITS = 23;

  private TokenChance() {}

  /**
   * Whole numbers from 0 to below 2 to the power of {@value #BITS}, int64 {@code [n, w]}.
   *
   * @param key of what is chosen
   * @param tokens their numbers, int64 {@code [n]}
   * @param columns their numbers, from 1 ({@link #columns})
   */
  static Tensor of(long key, Tensor tokens, Tensor columns) {
    Tensor ofRows = Views.reshape(Bits.mixed(Bits.xor(Bits.spread(tokens), key)), -1, 1);
    Tensor ofColumns = Bits.mixed(Bits.xor(Bits.spread(columns), Long.rotateLeft(key, 32)));
    return Bits.shiftRight(Bits.mixed(Bits.xor(ofRows, ofColumns)), Bits.MIXED - BITS);
  }

  /**
   * The numbers of neighbouring columns, from 1, int64 {@code [count]}.
   *
   * @param first the place of the first among all, from 0
   * @param like a tensor on the device
   */
  static Tensor columns(long first, long count, Tensor like) {
    Tensor ones = Tensors.full(1, Dtype.INT64, like.device(), count);
    Tensors.fill(Views.narrow(ones, 0, 0, 1), (double) first + 1);
    return Reductions.cumulativeSum(ones, 0);
  }
}
