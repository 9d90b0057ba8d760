package dev.duoka.model.weight;

import java.util.List;

/**
 * A tensor of a Hugging Face checkpoint, as a dense part of one of our parameters.
 *
 * @param name for example {@code model.layers.0.self_attn.q_proj.weight}
 * @param offset where it starts within the parameter, in elements
 * @param shape its shape in the checkpoint
 */
public record CheckpointTensor(String name, long offset, List<Long> shape) {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  /** The name that transformers gives to what it belongs to. */
  public String module() {
    String ending = isBias() ? BIAS : WEIGHT;
    return name.endsWith(ending) ? name.substring(0, name.length() - ending.length()) : name;
  }

  /** Whether it is what a linear layer adds to its outputs. */
  public boolean isBias() {
    return name.endsWith(BIAS);
  }

  /** The number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }
}
