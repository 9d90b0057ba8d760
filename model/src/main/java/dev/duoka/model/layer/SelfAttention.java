package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.tensor.Tensor;

/** A layer in which every token looks at the tokens before it. */
public interface SelfAttention {
  /** {@code [b·t, h] → [b·t, h]}. */
  Variable apply(Pass pass, Variable hidden);

  /**
   * Attention of heads, {@code [b, heads, t, width]} each, through the pass's cache if it has one.
   *
   * @param layer this layer's number in the cache
   */
  static Variable attend(Pass pass, int layer, Variable[] heads, double scale) {
    Variable key = heads[1];
    Variable value = heads[2];
    KeyValueCache cache = pass.cache();
    if (cache != null) {
      Tensor[] all = cache.append(layer, pass.firstPosition(), key.value(), value.value());
      key = Variable.constant(all[0]);
      value = Variable.constant(all[1]);
    }
    return pass.tape().apply(new Attention(scale), heads[0], key, value);
  }
}
