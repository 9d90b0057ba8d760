package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** RMS normalisation in one pass. Launches asynchronously; deterministic. */
public final class NormKernels {
  private static final KernelFamily KERNELS = new KernelFamily("norm.cu");

  /** The most packs that a thread keeps in registers. */
  private static final int PACKS = 4;

  /**
   * Threads of a backward pass in all blocks: about what a large card holds at once, and fewer
   * leave it parts of the weight's gradient to sum.
   */
  private static final int THREADS = 132 * 1024;

  private static final int MOST_BLOCKS = 1056;

  private NormKernels() {}

  /** Whether rows of {@code x [..., h]} can be normalised here. */
  public static boolean take(Tensor x) {
    return KernelFamily.serve(x)
        && KernelFamily.inPacks(x, x.size(-1))
        && x.size(-1) <= KernelFamily.widest(x, PACKS);
  }

  /**
   * Normalises {@code x}.
   *
   * @param weight {@code [h]}
   * @return the normalised values, and one over the root mean square as fp32 {@code [..., 1]}
   */
  public static Tensor[] forward(Tensor x, Tensor weight, double epsilon) {
    long[] shape = x.shape();
    shape[shape.length - 1] = 1;
    Tensor y = Tensors.empty(x.dtype(), x.device(), x.shape());
    Tensor inverse = Tensors.empty(Dtype.FLOAT32, x.device(), shape);
    if (x.device().isCuda() && inverse.elements() > 0) {
      KERNELS
          .call(x, "rms_norm_forward", KernelFamily.packsPerThread(x, x.size(-1)))
          .grid(Math.toIntExact(inverse.elements()))
          .block(KernelFamily.threads(x, x.size(-1)))
          .pointer(Views.addressOf(x))
          .pointer(Views.addressOf(weight))
          .pointer(Views.addressOf(y))
          .pointer(Views.addressOf(inverse))
          .integer(Math.toIntExact(x.size(-1)))
          .floating((float) epsilon)
          .launch();
    }
    return new Tensor[] {y, inverse};
  }

  /**
   * Room for parts of the weight's gradient, which {@link #backward} writes: fp32 {@code [blocks,
   * h]}.
   *
   * @param x what was normalised
   */
  public static Tensor parts(Tensor x) {
    return Tensors.empty(Dtype.FLOAT32, x.device(), blocks(x), x.size(-1));
  }

  private static int blocks(Tensor x) {
    int held = Math.min(MOST_BLOCKS, THREADS / KernelFamily.threads(x, x.size(-1)));
    return Math.toIntExact(Math.clamp(x.elements() / x.size(-1), 1, held));
  }

  /**
   * The gradient of the input, and parts of the weight's gradient for {@link #sumParts}.
   *
   * @param x what was normalised
   * @param inverse what {@link #forward} returned
   * @param residual added to the gradient of the input; null for none
   * @param again receives the normalised values once more; null if nobody needs them
   * @param parts receives parts of the weight's gradient; null if nobody needs them
   */
  public static Tensor backward(
      Tensor dy,
      Tensor x,
      Tensor weight,
      Tensor inverse,
      @Nullable Tensor residual,
      @Nullable Tensor again,
      @Nullable Tensor parts) {
    int rows = Math.toIntExact(inverse.elements());
    Tensor dx = Tensors.empty(x.dtype(), x.device(), x.shape());
    if (x.device().isCuda()) {
      KERNELS
          .call(x, "rms_norm_backward", KernelFamily.packsPerThread(x, x.size(-1)))
          .grid(blocks(x))
          .block(KernelFamily.threads(x, x.size(-1)))
          .pointer(Views.addressOf(dy))
          .pointer(Views.addressOf(x))
          .pointer(Views.addressOf(weight))
          .pointer(Views.addressOf(inverse))
          .pointer(address(residual))
          .pointer(Views.addressOf(dx))
          .pointer(address(again))
          .pointer(address(parts))
          .integer(rows)
          .integer(Math.toIntExact(x.size(-1)))
          .launch();
    }
    return dx;
  }

  /**
   * Sums parts over the blocks, in a fixed order.
   *
   * @param target fp32 {@code [h]}
   * @param add whether to add to the target rather than overwrite it
   */
  public static void sumParts(Tensor parts, Tensor target, boolean add) {
    if (parts.device().isCuda()) {
      int width = Math.toIntExact(parts.size(1));
      KERNELS
          .call(parts, "sum_parts")
          .grid((width + 31) / 32)
          .block(32, 32, 1)
          .pointer(Views.addressOf(parts))
          .pointer(Views.addressOf(target))
          .integer(Math.toIntExact(parts.size(0)))
          .integer(width)
          .integer(add ? 1 : 0)
          .launch();
    }
  }

  private static long address(@Nullable Tensor tensor) {
    return tensor == null ? 0 : Views.addressOf(tensor);
  }
}
