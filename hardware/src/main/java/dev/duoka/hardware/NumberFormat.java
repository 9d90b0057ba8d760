package dev.duoka.hardware;

import java.util.Locale;

/** The formats of numbers in which a card computes products, each at a peak of its own. */
public enum NumberFormat {
  /** 32-bit floating point on plain cores; no TF32. */
  FP32,
  /** 32-bit storage, products on tensor cores that round their inputs to 10 bits of mantissa. */
  TF32,
  /** bfloat16 on tensor cores. */
  BF16,
  /** IEEE half precision on tensor cores. */
  FP16,
  /** 8-bit floating point on tensor cores. */
  FP8;

  /** For example {@code bf16}, as the data file says it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
