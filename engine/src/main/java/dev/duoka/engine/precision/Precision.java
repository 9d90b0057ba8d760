package dev.duoka.engine.precision;

import dev.duoka.engine.parameter.ParameterStore;
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
  FP16(Dtype.FLOAT16),
  /**
   * As {@link #BF16}, with the products of linear layers in 8 bits where their sizes are multiples
   * of 128 (DeepSeek-V3, arXiv:2412.19437 §3.3). Embedding, output head, router, experts, norms and
   * attention stay as they are.
   */
  FP8(Dtype.BFLOAT16);

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

  /** Has the linear layers of these parameters multiply as this policy says. */
  public void applyTo(ParameterStore parameters) {
    if (this == FP8) {
      parameters.multiplyScaled();
    }
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
