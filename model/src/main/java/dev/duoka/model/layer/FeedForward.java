package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;

/** A layer that works on each token by itself. */
public interface FeedForward {
  /** {@code [n, h] → [n, h]}, added to {@code residual} of that shape. */
  Variable addTo(Variable residual, Pass pass, Variable hidden);
}
