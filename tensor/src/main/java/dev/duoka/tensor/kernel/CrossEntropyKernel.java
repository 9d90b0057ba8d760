package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/** Cross-entropy of rows of logits, with the gradient in their place. Launches asynchronously. */
public final class CrossEntropyKernel {
  private static final KernelFamily KERNELS = new KernelFamily("cross_entropy.cu");

  private static final int THREADS = 512;

  private CrossEntropyKernel() {}

  /** Whether hidden states like {@code hidden} and a vocabulary of this size can be served. */
  public static boolean take(Tensor hidden, long vocabulary) {
    return KernelFamily.serve(hidden) && vocabulary % KernelFamily.pack(hidden) == 0;
  }

  /**
   * Computes {@code −log softmax(logits)[target]} of each row, in fp32.
   *
   * @param logits {@code [n, vocabulary]}, dense; with {@code gradient} overwritten by {@code
   *     (softmax − one-hot) · scale}
   * @param targets int64 {@code [n]}; a row with a negative target counts for nothing
   * @return the losses, fp32 {@code [n]}
   */
  public static Tensor run(Tensor logits, Tensor targets, double scale, boolean gradient) {
    Tensor losses = Tensors.empty(Dtype.FLOAT32, logits.device(), logits.size(0));
    if (logits.device().isCuda()) {
      KERNELS
          .call(logits, "cross_entropy")
          .grid(Math.toIntExact(logits.size(0)))
          .block(THREADS)
          .pointer(Views.addressOf(logits))
          .pointer(Views.addressOf(targets))
          .pointer(Views.addressOf(losses))
          .integer(Math.toIntExact(logits.size(1)))
          .floating((float) scale)
          .integer(gradient ? 1 : 0)
          .launch();
    }
    return losses;
  }
}
