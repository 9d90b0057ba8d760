package dev.duoka.train.step;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Measures the range of the gradients of each layer; reads back, and so waits for the device. */
public final class GradientRanges {
  private static final Pattern LAYER = Pattern.compile("(model\\.layers\\.\\d+)\\..*");

  private GradientRanges() {}

  /**
   * The ranges of this rank's gradients before the reduction.
   *
   * @param lossScale is taken out
   */
  public static List<StepMetrics.GradientRange> of(LanguageModel model, double lossScale) {
    Map<String, List<Parameter>> parts = new LinkedHashMap<>();
    for (Weight weight : model.weights()) {
      Matcher layer = LAYER.matcher(weight.spec().name());
      String part =
          layer.matches() ? layer.group(1) : weight.spec().name().replaceFirst("\\.weight$", "");
      parts.computeIfAbsent(part, _ -> new ArrayList<>()).add(weight.parameter());
    }
    List<StepMetrics.GradientRange> ranges = new ArrayList<>();
    parts.forEach((part, parameters) -> ranges.add(range(part, parameters, lossScale)));
    return ranges;
  }

  private static StepMetrics.GradientRange range(
      String part, List<Parameter> parameters, double lossScale) {
    double smallest = Double.POSITIVE_INFINITY;
    double largest = Double.NEGATIVE_INFINITY;
    double squares = 0;
    long elements = 0;
    for (Parameter parameter : parameters) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor flat = Views.reshape(parameter.gradient(), -1);
        smallest = Math.min(smallest, HostCopy.item(Reductions.min(flat, false)));
        largest = Math.max(largest, HostCopy.item(Reductions.max(flat, false)));
        squares += HostCopy.item(Reductions.dot(flat, flat));
        elements += flat.size(0);
      }
    }
    return new StepMetrics.GradientRange(
        part, smallest / lossScale, largest / lossScale, Math.sqrt(squares / elements) / lossScale);
  }
}
