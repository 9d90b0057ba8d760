package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;

/** A layer in which every token looks at the tokens before it. */
public interface SelfAttention {
  /** {@code [b·t, h] → [b·t, h]}. */
  Variable apply(Pass pass, Variable hidden);
}
