package dev.duoka.layout;

import java.util.Locale;

/** Which activations are computed again in the backward pass instead of being kept. */
public enum Recompute {
  /** Everything that the gradients need is kept. */
  NONE,
  /** Outputs of cheap functions (norms, activations, permutations) are computed again. */
  SELECTIVE,
  /** Whole layers are computed again: only their inputs are kept. */
  FULL;

  /** For example {@code selective}, as run files say it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
