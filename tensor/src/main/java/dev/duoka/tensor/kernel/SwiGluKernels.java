package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** {@code silu(gate) · up} in one pass, with a weight per row. Launches asynchronously. */
public final class SwiGluKernels {
  private static final KernelFamily KERNELS = new KernelFamily("swiglu.cu");

  private SwiGluKernels() {}

  /** Whether {@code joint [n, 2f]} can be served, with row weights or without. */
  public static boolean take(Tensor joint, @Nullable Tensor weights) {
    return KernelFamily.serve(joint)
        && joint.size(-1) % 2 == 0
        && KernelFamily.inPacks(joint, joint.size(-1) / 2)
        && (weights == null || (weights.dtype() == Dtype.FLOAT32 && weights.isContiguous()));
  }

  /**
   * The activation.
   *
   * @param joint gate and up, {@code [..., 2f]}
   * @param weights fp32, one per row; null for none
   * @return {@code [..., f]}
   */
  public static Tensor forward(Tensor joint, @Nullable Tensor weights) {
    Tensor y = Tensors.empty(joint.dtype(), joint.device(), half(joint));
    int width = Math.toIntExact(joint.size(-1) / 2);
    if (joint.device().isCuda() && y.elements() > 0) {
      KERNELS
          .call(joint, "swiglu_forward")
          .grid(rows(joint))
          .block(KernelFamily.threads(joint, width))
          .pointer(Views.addressOf(joint))
          .pointer(weights == null ? 0 : Views.addressOf(weights))
          .pointer(Views.addressOf(y))
          .integer(width)
          .launch();
    }
    return y;
  }

  /**
   * The gradients of {@link #forward}.
   *
   * @param dy dense {@code [..., f]}
   * @param again receives the output of {@link #forward} once more, {@code [..., f]}; null if
   *     nobody needs it
   * @return of {@code joint}, and of the weights where there are some
   */
  public static Tensor[] backward(
      Tensor joint, Tensor dy, @Nullable Tensor weights, @Nullable Tensor again) {
    Tensor gradient = Tensors.empty(joint.dtype(), joint.device(), joint.shape());
    Tensor weightGradient =
        weights == null ? null : Tensors.empty(Dtype.FLOAT32, joint.device(), weights.shape());
    int width = Math.toIntExact(joint.size(-1) / 2);
    if (joint.device().isCuda() && joint.elements() > 0) {
      KERNELS
          .call(joint, "swiglu_backward")
          .grid(rows(joint))
          .block(KernelFamily.threads(joint, width))
          .pointer(Views.addressOf(joint))
          .pointer(Views.addressOf(dy))
          .pointer(weights == null ? 0 : Views.addressOf(weights))
          .pointer(Views.addressOf(gradient))
          .pointer(weightGradient == null ? 0 : Views.addressOf(weightGradient))
          .pointer(again == null ? 0 : Views.addressOf(again))
          .integer(width)
          .launch();
    }
    return weightGradient == null
        ? new Tensor[] {gradient}
        : new Tensor[] {gradient, weightGradient};
  }

  private static int rows(Tensor joint) {
    return Math.toIntExact(joint.elements() / joint.size(-1));
  }

  private static long[] half(Tensor joint) {
    long[] shape = joint.shape();
    shape[shape.length - 1] /= 2;
    return shape;
  }
}
