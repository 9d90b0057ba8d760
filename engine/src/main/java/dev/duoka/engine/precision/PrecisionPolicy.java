package dev.duoka.engine.precision;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.layout.Precision;
import dev.duoka.tensor.Dtype;

/**
 * What a precision means for tensors.
 *
 * @param precision one that this engine computes in
 */
public record PrecisionPolicy(Precision precision) {
  /**
   * The policy of a precision.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} for tf32, which this engine lacks
   */
  public PrecisionPolicy {
    if (precision == Precision.TF32) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "this version does not compute in " + precision,
          "Use fp32, bf16, fp16 or fp8.");
    }
  }

  /** The dtype of weights and activations. */
  public Dtype computeDtype() {
    return switch (precision) {
      case FP64 -> Dtype.FLOAT64;
      case FP32, TF32 -> Dtype.FLOAT32;
      case BF16, FP8 -> Dtype.BFLOAT16;
      case FP16 -> Dtype.FLOAT16;
    };
  }

  /** Has the linear layers of these parameters multiply as this policy says. */
  public void applyTo(ParameterStore parameters) {
    if (precision == Precision.FP8) {
      parameters.multiplyScaled();
    }
  }
}
