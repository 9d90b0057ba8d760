package dev.duoka.hardware;

import java.util.Locale;

/** The formats of numbers in which a card computes products, each at a peak of its own. */
public enum NumberFormat {
  /** 32-bit floating point on plain cores, as the engine does it; no TF32. */
  FP32,
  /** 32-bit storage, products on tensor cores that round their inputs to 10 bits of mantissa. */
  TF32,
  /** bfloat16 products with fp32 master weights and main gradients. */
  BF16,
  /** IEEE half precision with fp32 master weights and loss scaling. */
  FP16,
  /** 8-bit products beside bfloat16 for the rest. */
  FP8;

  /** Bytes of one activation that is kept. */
  public int bytes() {
    return this == FP32 || this == TF32 ? 4 : 2;
  }

  /** For example {@code bf16}, as run files say it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
