package dev.duoka.engine.autograd;

/** How far a split backward pass puts weight gradients off. */
public enum DeferredWeights {
  /**
   * Of everything that was kept in the forward pass. A recomputed block's weight gradients follow
   * its input gradients at once: else what it computed again would have to be kept as well.
   */
  KEPT,
  /** Of recomputed blocks too, whose saved tensors then wait. */
  ALL
}
