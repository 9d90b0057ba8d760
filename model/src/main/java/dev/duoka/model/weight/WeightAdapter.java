package dev.duoka.model.weight;

import dev.duoka.engine.function.Lora;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Section;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The adapter beside a weight, as it was declared: one for each of the checkpoint's tensors that
 * the weight is made of and that have one, with their matrices A in one weight.
 *
 * @param down the matrices A, {@code [Σ widths, in]} or {@code [experts, width, in]}
 * @param parts in the order of their rows in {@code down}
 * @param dropout the probability that it does not see an input
 */
public record WeightAdapter(Weight down, List<Part> parts, double dropout) {
  /**
   * One of the checkpoint's tensors.
   *
   * @param module its name without an ending, or that of stacked experts' parameter
   * @param up the matrix B, {@code [out, width]} or {@code [experts, out, width]}
   * @param magnitude DoRA's m, {@code [out]}; null for none
   * @param scale what its output is multiplied by
   * @param row where its rows begin in {@code down}
   * @param firstSection of the weight's outputs that belongs to it
   */
  public record Part(
      String module,
      Weight up,
      @Nullable Weight magnitude,
      double scale,
      long row,
      int firstSection) {
    /** The width between A and B. */
    public long width() {
      return up.spec().shape().getLast();
    }
  }

  public WeightAdapter {
    parts = List.copyOf(parts);
  }

  /** All its weights. */
  public List<Weight> weights() {
    List<Weight> all = new ArrayList<>(List.of(down));
    for (Part part : parts) {
      all.add(part.up());
      Weight magnitude = part.magnitude();
      if (magnitude != null) {
        all.add(magnitude);
      }
    }
    return all;
  }

  /** As functions take it, beside what is here of the weight. */
  Lora of(Parameter weight) {
    List<List<Section>> sections = weight.spec().sections();
    List<Section> outputs = sections.get(sections.size() - 2);
    return new Lora(
        down.parameter(),
        parts.stream()
            .map(
                part ->
                    new Lora.Part(
                        part.up().parameter(),
                        part.magnitude() == null ? null : part.magnitude().parameter(),
                        part.scale(),
                        part.row(),
                        outputs.stream()
                            .limit(part.firstSection())
                            .mapToLong(Section::length)
                            .sum()))
            .toList(),
        1 - dropout);
  }
}
