package dev.duoka.layout;

import java.util.Locale;

/** In how many bits gradients are summed. */
public enum GradientForm {
  /** 32 bits. */
  FP32,
  /**
   * bf16: for layers whose gradients are computed once a step, in one micro-batch. Embedding and
   * output head, whose gradients are sums of many products, stay in fp32.
   */
  BF16;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
