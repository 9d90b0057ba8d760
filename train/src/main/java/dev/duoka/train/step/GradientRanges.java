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
    parts.forEach((part, parameters) -> ranges.add(range(model, part, parameters, lossScale)));
    return ranges;
  }

  /** Weights of a layer lie side by side in the flat gradients; the padding between them is 0. */
  private static StepMetrics.GradientRange range(
      LanguageModel model, String part, List<Parameter> parameters, double lossScale) {
    long start = parameters.getFirst().offset();
    Parameter last = parameters.getLast();
    long end = last.offset() + last.spec().elements();
    long elements = parameters.stream().mapToLong(p -> p.spec().elements()).sum();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor gradients = Views.narrow(model.parameters().gradients(), 0, start, end - start);
      double smallest = HostCopy.item(Reductions.min(gradients, false));
      double largest = HostCopy.item(Reductions.max(gradients, false));
      double squares = 0;
      for (Parameter parameter : parameters) {
        Tensor flat = Views.reshape(parameter.gradient(), -1);
        squares += HostCopy.item(Reductions.dot(flat, flat));
      }
      return new StepMetrics.GradientRange(
          part,
          smallest / lossScale,
          largest / lossScale,
          Math.sqrt(squares / elements) / lossScale);
    }
  }
}
