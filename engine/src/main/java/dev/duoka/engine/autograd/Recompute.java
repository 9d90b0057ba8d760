package dev.duoka.engine.autograd;

/** Which activations are computed again in the backward pass instead of being kept. */
public enum Recompute {
  /** Everything that the gradients need is kept. */
  NONE,
  /** Outputs of cheap functions (norms, activations, permutations) are computed again. */
  SELECTIVE,
  /** Only the inputs of each {@linkplain Tape#block block} are kept. */
  FULL
}
