package dev.duoka.train.step;

import dev.duoka.parallel.state.ParameterRange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The range of the gradients of each layer, from those of its parameters. */
public final class GradientRanges {
  private static final Pattern LAYER = Pattern.compile("(model\\.layers\\.\\d+)\\..*");

  private GradientRanges() {}

  /**
   * Puts the parameters of each layer together.
   *
   * @param elements of each parameter of the whole model, in the model's order
   */
  public static List<StepMetrics.GradientRange> of(
      List<ParameterRange> ranges, Map<String, Long> elements) {
    Map<String, ParameterRange> byName = new LinkedHashMap<>();
    ranges.forEach(range -> byName.put(range.name(), range));
    Map<String, Part> parts = new LinkedHashMap<>();
    elements.forEach(
        (name, count) -> {
          ParameterRange range = byName.get(name);
          if (range != null) {
            parts.computeIfAbsent(part(name), _ -> new Part()).add(range, count);
          }
        });
    List<StepMetrics.GradientRange> all = new ArrayList<>();
    parts.forEach((name, part) -> all.add(part.range(name)));
    return all;
  }

  private static String part(String name) {
    Matcher layer = LAYER.matcher(name);
    return layer.matches() ? layer.group(1) : name.replaceFirst("\\.weight$", "");
  }

  /** Of what was added so far. */
  private static final class Part {
    private double smallest = Double.POSITIVE_INFINITY;
    private double largest = Double.NEGATIVE_INFINITY;
    private double squares;
    private long elements;

    void add(ParameterRange range, long count) {
      smallest = Math.min(smallest, range.smallest());
      largest = Math.max(largest, range.largest());
      squares += range.squares();
      elements += count;
    }

    StepMetrics.GradientRange range(String name) {
      return new StepMetrics.GradientRange(name, smallest, largest, Math.sqrt(squares / elements));
    }
  }
}
