package dev.duoka.engine.precision;

import dev.duoka.tensor.Dtype;

/**
 * A precision policy. Main gradients, master weights and optimizer states are always fp32, and so
 * are softmax, norms and the loss inside; the policy says what weights and activations are.
 */
public enum Precision {
  /** Everything in fp32. */
  FP32(Dtype.FLOAT32),
  /** bf16 weights and activations, fp32 master weights. */
  BF16(Dtype.BFLOAT16),
  /** fp16 weights and activations, fp32 master weights, dynamic loss scaling. */
  FP16(Dtype.FLOAT16);

  private final Dtype computeDtype;

  Precision(Dtype computeDtype) {
    this.computeDtype = computeDtype;
  }

  /** The dtype of weights and activations. */
  public Dtype computeDtype() {
    return computeDtype;
  }

  /** Whether master weights are kept beside the weights. */
  public boolean hasMasterWeights() {
    return this != FP32;
  }

  /** Whether the loss is scaled. */
  public boolean scalesLoss() {
    return this == FP16;
  }

  /** The gradient norm to clip at when none is configured: fp16 overflows sooner. */
  public double defaultClipNorm() {
    return this == FP16 ? 0.5 : 1.0;
  }
}
