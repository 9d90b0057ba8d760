package dev.duoka.layout;

import java.util.Locale;

/** How the cross-entropy over the vocabulary is computed. */
public enum LossKind {
  /** Logits in 16 bits and an fp32 copy of them, both kept. */
  UNFUSED,
  /** Logits in 16 bits, the gradient written over them. */
  FUSED,
  /** Chunks of rows, so that only one chunk of logits ever exists. */
  CHUNKED;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
