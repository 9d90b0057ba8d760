package dev.duoka.train.step;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
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
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Measures the range of the gradients of each layer; reads back, and so waits for the device. */
public final class GradientRanges {
  private static final Pattern LAYER = Pattern.compile("(model\\.layers\\.\\d+)\\..*");

  private GradientRanges() {}

  /**
   * The ranges of this rank's gradients before the reduction; with ZeRO 2 and 3, of its shards
   * after it.
   *
   * @param lossScale is taken out
   */
  public static List<StepMetrics.GradientRange> of(ShardedOptimizer optimizer, double lossScale) {
    Map<String, Range> parts = new LinkedHashMap<>();
    for (StateSlice slice : optimizer.slices()) {
      boolean whole = optimizer.keepsWholeGradients();
      for (Parameter parameter : slice.bucket().parameters()) {
        Range range = parts.computeIfAbsent(part(parameter.name()), _ -> new Range());
        if (whole) {
          try (Tensor flat = Views.reshape(parameter.gradient(), -1)) {
            range.add(flat);
          }
        } else {
          addShard(range, slice, parameter);
        }
      }
    }
    List<StepMetrics.GradientRange> ranges = new ArrayList<>();
    parts.forEach((part, range) -> range.of(part, lossScale).ifPresent(ranges::add));
    return ranges;
  }

  private static String part(String name) {
    Matcher layer = LAYER.matcher(name);
    return layer.matches() ? layer.group(1) : name.replaceFirst("\\.weight$", "");
  }

  private static void addShard(Range range, StateSlice slice, Parameter parameter) {
    long start = Math.max(parameter.offset(), slice.offset());
    long end =
        Math.min(parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
    if (start < end) {
      try (Tensor flat = Views.narrow(slice.gradients(), 0, start - slice.offset(), end - start)) {
        range.add(flat);
      }
    }
  }

  /** Of what was added so far. */
  private static final class Range {
    private double smallest = Double.POSITIVE_INFINITY;
    private double largest = Double.NEGATIVE_INFINITY;
    private double squares;
    private long elements;

    void add(Tensor flat) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        smallest = Math.min(smallest, HostCopy.item(Reductions.min(flat, false)));
        largest = Math.max(largest, HostCopy.item(Reductions.max(flat, false)));
        squares += HostCopy.item(Reductions.dot(flat, flat));
        elements += flat.size(0);
      }
    }

    Optional<StepMetrics.GradientRange> of(String part, double lossScale) {
      return elements == 0
          ? Optional.empty()
          : Optional.of(
              new StepMetrics.GradientRange(
                  part,
                  smallest / lossScale,
                  largest / lossScale,
                  Math.sqrt(squares / elements) / lossScale));
    }
  }
}
