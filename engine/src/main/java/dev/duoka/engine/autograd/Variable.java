package dev.duoka.engine.autograd;

import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A tensor and how it came about.
 *
 * @param value borrowed from the scope it was made in
 * @param producer the application that made it; null for a constant
 * @param output which of the producer's outputs it is
 */
public record Variable(Tensor value, @Nullable Node producer, int output) {
  /** A tensor that no gradient flows to. */
  public static Variable constant(Tensor value) {
    return new Variable(value, null, 0);
  }

  /** Whether gradients flow to this variable. */
  public boolean needsGradient() {
    return producer != null;
  }

  /**
   * The gradient that a backward pass left on a {@link Tape#leaf leaf}; the tape owns it.
   *
   * @throws IllegalStateException when this is no leaf or nothing reached it
   */
  public Tensor gradient() {
    if (producer == null || !producer.isLeaf()) {
      throw new IllegalStateException("only a leaf keeps its gradient");
    }
    Tensor gradient = producer.gradients[output];
    if (gradient == null) {
      throw new IllegalStateException("no gradient has reached this leaf");
    }
    return gradient;
  }
}
