package dev.duoka.engine.autograd;

import dev.duoka.tensor.Dtype;
import java.util.List;

/** The sizes of a function's products, by which a device's rate for them can be measured alone. */
public sealed interface ProductShape {
  /** What the factors are, where they are not in 8 bits. */
  Dtype dtype();

  /**
   * A matrix product {@code [rows, in] → [rows, out]} and those of its gradients.
   *
   * @param scaled whether the factors are in 8 bits
   */
  record Linear(Dtype dtype, boolean scaled, long rows, long in, long out)
      implements ProductShape {}

  /** As {@link Linear}, for rows that belong to {@code groups} matrices, as many to each. */
  record Grouped(Dtype dtype, long rows, long in, long out, int groups) implements ProductShape {}

  /**
   * Three products at once, of a linear layer that computes its gradients in its forward pass.
   *
   * @param trained whether one of them is the weight's gradient; it is left out of a frozen one
   */
  record Head(Dtype dtype, long rows, long in, long out, boolean trained) implements ProductShape {
    /** The parts of a layer whose products it has. */
    public List<FunctionObserver.Phase> phases() {
      return trained
          ? List.of(
              FunctionObserver.Phase.FORWARD,
              FunctionObserver.Phase.INPUT_GRADIENTS,
              FunctionObserver.Phase.WEIGHT_GRADIENTS)
          : List.of(FunctionObserver.Phase.FORWARD, FunctionObserver.Phase.INPUT_GRADIENTS);
    }
  }

  /**
   * Causal attention: queries {@code [batch, heads, length, width]}, keys {@code [batch, keyHeads,
   * keys, width]}, and values of {@code valueWidth}.
   *
   * @param keys all that queries meet, of which each sees half on average; more than {@code length}
   *     where the rest lies elsewhere
   */
  record Attention(
      Dtype dtype,
      long batch,
      long heads,
      long keyHeads,
      long length,
      long keys,
      long width,
      long valueWidth)
      implements ProductShape {
    /** The same queries, which meet so many keys. */
    public Attention withKeys(long others) {
      return new Attention(dtype, batch, heads, keyHeads, length, others, width, valueWidth);
    }
  }
}
