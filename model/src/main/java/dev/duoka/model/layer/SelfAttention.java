package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;

/** A layer in which every token looks at the tokens before it. */
public interface SelfAttention {
  /**
   * {@code [b·t, h] → [b·t, h]}, added to {@code residual} of that shape: the sum comes with the
   * last product, for no pass over memory of its own.
   */
  Variable addTo(Variable residual, Pass pass, Variable hidden);
}
