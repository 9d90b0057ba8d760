package dev.duoka.engine.parameter;

import dev.duoka.tensor.nf4.Nf4Layout;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A weight that a model wants.
 *
 * @param name unique within the model, for example {@code layers.3.attention.qkv}
 * @param sections of each dimension, outermost first; they add up to its size
 * @param initializer how it starts
 * @param block the part of the model that it belongs to, in the order of the forward pass; weights
 *     of one block lie together
 * @param portion what of the weight this is
 * @param trainable whether it is trained; a frozen weight has no gradient and no states
 * @param nf4 how it is kept in 4 bits, which only a frozen one is; null for the compute dtype
 */
public record ParameterSpec(
    String name,
    List<List<Section>> sections,
    Initializer initializer,
    int block,
    Portion portion,
    boolean trainable,
    @Nullable Nf4Form nf4) {
  public ParameterSpec {
    sections = sections.stream().map(List::copyOf).toList();
    if (trainable && nf4 != null) {
      throw new IllegalArgumentException(name + " is trained, and cannot be kept in 4 bits");
    }
  }

  /** A whole weight. */
  public ParameterSpec(
      String name, List<List<Section>> sections, Initializer initializer, int block) {
    this(name, sections, initializer, block, Portion.all(sizes(sections)), true, null);
  }

  /** A weight whose dimensions are of no consequence, in block 0. */
  public static ParameterSpec plain(String name, List<Long> shape, Initializer initializer) {
    return new ParameterSpec(
        name,
        shape.stream().map(size -> List.of(Section.of(Axis.HIDDEN, size))).toList(),
        initializer,
        0);
  }

  /** Sizes, outermost first. */
  public List<Long> shape() {
    return sizes(sections);
  }

  /** The same weight, of which only a portion is held. */
  public ParameterSpec part(List<List<Section>> ofPart, Portion portionOfWeight) {
    return new ParameterSpec(name, ofPart, initializer, block, portionOfWeight, trainable, nf4);
  }

  /** The same weight, not trained. */
  public ParameterSpec frozen() {
    return new ParameterSpec(name, sections, initializer, block, portion, false, nf4);
  }

  /** The same weight, not trained and kept in 4 bits. */
  public ParameterSpec inFourBits(Nf4Form form) {
    return new ParameterSpec(name, sections, initializer, block, portion, false, form);
  }

  /** How it lies in bytes, where it is kept in 4 bits. */
  Nf4Layout layout() {
    return Objects.requireNonNull(nf4, name).layout(portion);
  }

  /** What it takes of a flat buffer: elements, or bytes where it is kept in 4 bits. */
  public long stored() {
    return nf4 == null ? elements() : layout().bytes();
  }

  private static List<Long> sizes(List<List<Section>> sections) {
    return sections.stream()
        .map(dimension -> dimension.stream().mapToLong(Section::length).sum())
        .toList();
  }

  /** The number of elements. */
  public long elements() {
    return shape().stream().reduce(1L, Math::multiplyExact);
  }

  /** The shape as an array. */
  public long[] shapeArray() {
    return shape().stream().mapToLong(Long::longValue).toArray();
  }

  /** Whether a dimension has a section of this axis. */
  public boolean has(Axis axis) {
    return sections.stream()
        .anyMatch(dimension -> dimension.stream().anyMatch(section -> section.axis() == axis));
  }
}
