package dev.duoka.train.step;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The range of the gradients of each layer. Its measuring is launched and nothing waits for it: the
 * numbers of all come in one read, when they are asked for.
 */
public final class GradientRanges {
  /** No ranges. */
  public static final GradientRanges NONE = new GradientRanges(List.of(), null, 1);

  private static final Pattern LAYER = Pattern.compile("(model\\.layers\\.\\d+)\\..*");

  /** Of each tensor: smallest, largest, sum of squares. */
  private static final int NUMBERS = 3;

  /** A tensor of gradients that belongs to a part of the model. */
  private record Piece(String part, long elements) {}

  private final List<Piece> pieces;
  private final @Nullable DeferredRead read;
  private final double lossScale;

  private GradientRanges(List<Piece> pieces, @Nullable DeferredRead read, double lossScale) {
    this.pieces = List.copyOf(pieces);
    this.read = read;
    this.lossScale = lossScale;
  }

  /**
   * Launches the measuring of this rank's gradients before the reduction; with ZeRO 2 and 3, of its
   * shards after it.
   *
   * @param lossScale is taken out
   */
  public static GradientRanges launch(ShardedOptimizer optimizer, double lossScale) {
    List<Piece> pieces = new ArrayList<>();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      List<Tensor> numbers = new ArrayList<>();
      for (StateSlice slice : optimizer.slices()) {
        for (Parameter parameter : slice.bucket().parameters()) {
          Tensor flat =
              optimizer.keepsWholeGradients()
                  ? Views.reshape(parameter.gradient(), -1)
                  : shard(slice, parameter);
          if (flat.elements() > 0) {
            pieces.add(new Piece(part(parameter.name()), flat.elements()));
            numbers.add(Views.reshape(Reductions.min(flat, false), 1));
            numbers.add(Views.reshape(Reductions.max(flat, false), 1));
            numbers.add(Views.reshape(Reductions.dot(flat, flat), 1));
          }
        }
      }
      if (numbers.isEmpty()) {
        return NONE;
      }
      Tensor all =
          Copies.cast(Copies.concatenate(0, numbers.toArray(Tensor[]::new)), Dtype.FLOAT64);
      DeferredRead read = new DeferredRead(all.device(), Dtype.FLOAT64, numbers.size());
      read.start(all);
      return new GradientRanges(pieces, read, lossScale);
    }
  }

  private static String part(String name) {
    Matcher layer = LAYER.matcher(name);
    return layer.matches() ? layer.group(1) : name.replaceFirst("\\.weight$", "");
  }

  /** What this rank has of a parameter's gradient; empty where it has none. */
  private static Tensor shard(StateSlice slice, Parameter parameter) {
    long start = Math.max(parameter.offset(), slice.offset());
    long end =
        Math.min(parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
    return start < end
        ? Views.narrow(slice.gradients(), 0, start - slice.offset(), end - start)
        : Views.narrow(slice.gradients(), 0, 0, 0);
  }

  /** The ranges, once; waits until the device has come to them. */
  public List<StepMetrics.GradientRange> await() {
    if (read == null) {
      return List.of();
    }
    try (read) {
      double[] numbers = read.await();
      Map<String, Range> parts = new LinkedHashMap<>();
      for (int i = 0; i < pieces.size(); i++) {
        parts
            .computeIfAbsent(pieces.get(i).part(), _ -> new Range())
            .add(numbers, i * NUMBERS, pieces.get(i).elements());
      }
      List<StepMetrics.GradientRange> ranges = new ArrayList<>();
      parts.forEach((part, range) -> ranges.add(range.of(part, lossScale)));
      return ranges;
    }
  }

  /** Of what was added so far. */
  private static final class Range {
    private double smallest = Double.POSITIVE_INFINITY;
    private double largest = Double.NEGATIVE_INFINITY;
    private double squares;
    private long elements;

    void add(double[] numbers, int at, long count) {
      smallest = Math.min(smallest, numbers[at]);
      largest = Math.max(largest, numbers[at + 1]);
      squares += numbers[at + 2];
      elements += count;
    }

    StepMetrics.GradientRange of(String part, double lossScale) {
      return new StepMetrics.GradientRange(
          part,
          smallest / lossScale,
          largest / lossScale,
          Math.sqrt(squares / elements) / lossScale);
    }
  }
}
