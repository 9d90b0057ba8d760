package dev.duoka.planner.layout;

import java.util.Locale;

/** What the backward pass computes again instead of keeping. */
public enum Recompute {
  /** Everything is kept. */
  NONE,
  /** Norms, activations and permutations are computed again. */
  SELECTIVE,
  /** Whole layers are computed again from their inputs. */
  FULL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
