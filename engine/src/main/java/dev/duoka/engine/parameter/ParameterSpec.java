package dev.duoka.engine.parameter;

import java.util.List;

/**
 * A weight that a model wants.
 *
 * @param name unique within the model, for example {@code layers.3.attention.qkv}
 * @param shape sizes, outermost first
 * @param initializer how it starts
 */
public record ParameterSpec(String name, List<Long> shape, Initializer initializer) {
  /** The number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** The shape as an array. */
  public long[] shapeArray() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
