package dev.duoka.layout;

import java.util.Locale;

/**
 * In which numbers a step computes: the policy of a run, named by the numbers of its products. Main
 * gradients, master weights and optimizer states are always fp32, and so are softmax, norms and the
 * loss inside.
 */
public enum Precision {
  /** Everything in fp64, on a CPU: the truth that layouts and kernels are checked against. */
  FP64,
  /** Everything in fp32. */
  FP32,
  /** As {@link #FP32}, with products on tensor cores that round their inputs to 10 bits. */
  TF32,
  /** bf16 weights and activations, fp32 master weights. */
  BF16,
  /** fp16 weights and activations, fp32 master weights, dynamic loss scaling. */
  FP16,
  /**
   * As {@link #BF16}, with the products of linear layers in 8 bits where their sizes are multiples
   * of 128 (DeepSeek-V3, arXiv:2412.19437 §3.3). Embedding, output head, router, experts, norms and
   * attention stay as they are.
   */
  FP8;

  /** Bytes of a weight as it is computed with, and of an activation that is kept. */
  public int bytes() {
    return this == FP64 ? 8 : hasMasterWeights() ? 2 : 4;
  }

  /** Whether master weights are kept beside the weights. */
  public boolean hasMasterWeights() {
    return switch (this) {
      case FP64, FP32, TF32 -> false;
      case BF16, FP16, FP8 -> true;
    };
  }

  /** Whether the loss is scaled. */
  public boolean scalesLoss() {
    return this == FP16;
  }

  /** The gradient norm to clip at when none is configured: fp16 overflows sooner. */
  public double defaultClipNorm() {
    return this == FP16 ? 0.5 : 1.0;
  }

  /** For example {@code bf16}, as run files say it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
