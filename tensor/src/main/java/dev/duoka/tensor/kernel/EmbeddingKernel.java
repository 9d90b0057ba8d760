package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * The gradient of an embedding, summed per token in the order of the tokens: deterministic, without
 * atomics, and without a copy of the gradients in fp32. Launches asynchronously.
 */
public final class EmbeddingKernel {
  private static final KernelFamily KERNELS = new KernelFamily("embedding.cu");

  private EmbeddingKernel() {}

  /** Whether gradients {@code dy [n, h]} and an fp32 target can be served. */
  public static boolean take(Tensor dy, Tensor target) {
    return KernelFamily.serve(dy)
        && KernelFamily.inPacks(dy, dy.size(-1))
        && target.dtype() == Dtype.FLOAT32
        && target.isContiguous();
  }

  /**
   * Adds each row of {@code dy} to the target's row of its token.
   *
   * @param keys the tokens in ascending order, int64 {@code [n]}
   * @param order the row of each, int64 {@code [n]}, ascending where keys are equal
   */
  public static void add(Tensor target, Tensor keys, Tensor order, Tensor dy) {
    if (dy.device().isCuda() && dy.elements() > 0) {
      KERNELS
          .call(dy, "embedding_gradient")
          .grid(Math.toIntExact(dy.size(0)))
          .block(KernelFamily.threads(dy, dy.size(1)))
          .pointer(Views.addressOf(keys))
          .pointer(Views.addressOf(order))
          .pointer(Views.addressOf(dy))
          .pointer(Views.addressOf(target))
          .longInteger(dy.size(0))
          .integer(Math.toIntExact(dy.size(1)))
          .launch();
    }
  }
}
