package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Tensor;

/** Fused parameter updates. */
public final class OptimizerKernels {
  private static final Operator FUSED_ADAMW = Operator.of("aten::_fused_adamw_", "");

  private OptimizerKernels() {}

  /**
   * One AdamW step in place over one dense buffer of each kind (Loshchilov and Hutter,
   * arXiv:1711.05101), with decoupled weight decay and bias correction.
   *
   * @param weights updated in place
   * @param gradients same shape and dtype
   * @param firstMoment updated in place
   * @param secondMoment updated in place
   * @param step fp32, 0-dimensional, on the weights' device: the number of this step, from 1
   */
  public static void adamw(
      Tensor weights,
      Tensor gradients,
      Tensor firstMoment,
      Tensor secondMoment,
      Tensor step,
      double learningRate,
      double beta1,
      double beta2,
      double weightDecay,
      double epsilon) {
    if (weights.device().isMeta()) {
      return;
    }
    Call.of(FUSED_ADAMW)
        .tensors(weights)
        .tensors(gradients)
        .tensors(firstMoment)
        .tensors(secondMoment)
        .tensors()
        .tensors(step)
        .floating(learningRate)
        .floating(beta1)
        .floating(beta2)
        .floating(weightDecay)
        .floating(epsilon)
        .bool(false)
        .bool(false)
        .none()
        .none()
        .noResult();
  }
}
