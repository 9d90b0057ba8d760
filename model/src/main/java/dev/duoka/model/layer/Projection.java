package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.DoraScale;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.function.Lora;
import dev.duoka.model.weight.Weight;

/** A linear layer with the adapter that its weight may have. */
final class Projection {
  private Projection() {}

  /**
   * {@code [n, in] → [n, out]}.
   *
   * @param inputs x, and where one is added to the result, {@code [n, out]}
   */
  static Variable apply(Pass pass, Weight weight, Variable... inputs) {
    Lora lora = pass.lora(weight);
    if (lora == null) {
      return pass.tape().apply(new Linear(weight.parameter()), inputs);
    }
    Linear linear = new Linear(weight.parameter(), lora, pass.dropout(lora));
    if (!lora.hasMagnitude()) {
      return pass.tape().apply(linear, inputs);
    }
    Variable[] scaled = inputs.clone();
    scaled[0] = pass.tape().apply(linear, inputs[0]);
    return pass.tape().apply(new DoraScale(weight.parameter(), lora), scaled);
  }
}
