package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * Leaves out some elements of rows of tokens at random in one pass over memory, and divides the
 * rest by what is kept. Launches asynchronously; which elements is a function of the arguments
 * alone.
 */
public final class DropoutKernel {
  private static final KernelFamily KERNELS = new KernelFamily("dropout.cu");

  /** Bits of a key that numbers do not keep. */
  private static final int KEY_SHIFT = 11;

  private DropoutKernel() {}

  /**
   * What is chosen.
   *
   * @param key of the choice
   * @param firstColumn the number of the first column among those of the whole row, from 1
   * @param limit numbers of 23 bits below it are left out
   * @param scale what the rest is multiplied by
   */
  public record Choice(long key, long firstColumn, long limit, double scale) {}

  /** Whether rows {@code x [n, w]} can be served. */
  public static boolean take(Tensor x) {
    return KernelFamily.serve(x) && KernelFamily.inPacks(x, x.size(1));
  }

  /**
   * Copies what is kept.
   *
   * @param x {@code [n, w]}
   * @param tokens the number of each row's token, dense int64 {@code [n]}
   * @param target like {@code x}; receives it
   */
  public static void run(Tensor x, Tensor tokens, Tensor target, Choice choice) {
    if (tokens.dtype() != Dtype.INT64 || tokens.size(0) != x.size(0)) {
      throw new IllegalArgumentException(tokens + " are no numbers of the rows of " + x);
    }
    if (!x.device().isCuda() || x.elements() == 0) {
      return;
    }
    KERNELS
        .call(x, "dropout")
        .grid(Math.toIntExact(x.size(0)))
        .block(KernelFamily.threads(x, x.size(1)))
        .pointer(Views.addressOf(x))
        .pointer(Views.addressOf(tokens))
        .pointer(Views.addressOf(target))
        .integer(Math.toIntExact(x.size(1)))
        .longInteger(choice.key() >>> KEY_SHIFT)
        .longInteger(Long.rotateLeft(choice.key(), 32) >>> KEY_SHIFT)
        .longInteger(choice.firstColumn())
        .longInteger(choice.limit())
        .floating((float) choice.scale())
        .launch();
  }
}
