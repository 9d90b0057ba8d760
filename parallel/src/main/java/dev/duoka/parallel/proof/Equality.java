package dev.duoka.parallel.proof;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * How near two outcomes of the same work must be.
 *
 * @param losses and norms: relative
 * @param gradients of a tensor's size, by the measure
 * @param weights likewise
 * @param measure of a tensor
 */
public record Equality(double losses, double gradients, double weights, Measure measure) {
  /** What rounding in fp64 leaves. */
  public static final Equality FP64 = new Equality(1e-9, 1e-10, 1e-7, Measure.LARGEST);

  /** How large a tensor, or a difference of two, is. */
  public enum Measure {
    /** Its largest element. */
    LARGEST,
    /**
     * Its L2 norm, where single elements may differ: an AdamW step is as long for a gradient that
     * is all rounding as for any other.
     */
    NORM;

    private double with(double sizeSoFar, double element) {
      return switch (this) {
        case LARGEST -> Math.max(sizeSoFar, Math.abs(element));
        case NORM -> Math.hypot(sizeSoFar, element);
      };
    }
  }

  /** What is compared. */
  public enum Kind {
    /** A loss, or a norm. */
    NUMBER(""),
    /** A gradient of the first step. */
    GRADIENT("gradient of "),
    /** A weight after the last step. */
    WEIGHT("weight ");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  /**
   * How far something is from what it should be.
   *
   * @param tensor its name, or that of the number
   * @param difference how large it is; infinite where one side has no number
   * @param scale what it is measured by
   * @param limit how much of that may be
   */
  public record Difference(
      Kind kind, String tensor, double difference, double scale, double limit) {
    /** For example {@code gradient of model.norm.weight}. */
    public String name() {
      return kind.words + tensor;
    }

    /** As a part of the size. */
    public double relative() {
      return difference / scale;
    }

    /** How many times the limit it is. */
    public double excess() {
      return relative() / limit;
    }

    /** With another limit. */
    public Difference withLimit(double other) {
      return new Difference(kind, tensor, difference, scale, other);
    }

    private boolean isTooLarge() {
      return !(difference <= limit * scale);
    }

    /** For example {@code norm of step 0: 0.1 of 2.0}. */
    @Override
    public String toString() {
      return name() + ": " + difference + " of " + scale;
    }
  }

  /** What differs by more than it may, the worst first; empty where nothing does. */
  public List<Difference> differences(Training.Outcome actual, Training.Outcome expected) {
    return differences(actual, expected, UnaryOperator.identity());
  }

  /**
   * As the other method.
   *
   * @param limited gives each its own limit
   */
  public List<Difference> differences(
      Training.Outcome actual, Training.Outcome expected, UnaryOperator<Difference> limited) {
    List<Difference> all = new ArrayList<>();
    for (int step = 0; step < expected.losses().size(); step++) {
      for (String name : Training.StepLosses.names()) {
        double wanted = expected.losses().get(step).of(name);
        double got = actual.losses().get(step).of(name);
        if (!(Double.isNaN(wanted) && Double.isNaN(got))) {
          String which = name + " of step " + step;
          all.add(difference(Kind.NUMBER, which, Math.abs(got - wanted), Math.abs(wanted), losses));
        }
      }
    }
    compare(all, Kind.GRADIENT, actual.gradients(), expected.gradients(), gradients);
    compare(all, Kind.WEIGHT, actual.weights(), expected.weights(), weights);
    return all.stream()
        .map(limited)
        .filter(Difference::isTooLarge)
        .sorted(Comparator.comparingDouble(Difference::excess).reversed())
        .toList();
  }

  /** How far tensors are from those of the same name, as a part of their L2 norms. */
  public static Map<String, Double> distances(
      Map<String, double[]> tensors, Map<String, double[]> others) {
    List<Difference> all = new ArrayList<>();
    new Equality(0, 0, 0, Measure.NORM).compare(all, Kind.WEIGHT, others, tensors, 0);
    return all.stream()
        .collect(Collectors.toMap(Difference::tensor, it -> it.scale() == 0 ? 0 : it.relative()));
  }

  private void compare(
      List<Difference> all,
      Kind kind,
      Map<String, double[]> actual,
      Map<String, double[]> expected,
      double limit) {
    expected.forEach(
        (name, values) -> {
          double[] others = actual.getOrDefault(name, new double[0]);
          double scale = 0;
          double off = others.length != values.length ? Double.NaN : 0;
          for (int i = 0; i < values.length; i++) {
            scale = measure.with(scale, values[i]);
            // A NaN stays one.
            off = Double.isNaN(off) ? off : measure.with(off, values[i] - others[i]);
          }
          all.add(difference(kind, name, off, scale, limit));
        });
    actual.keySet().stream()
        .filter(name -> !expected.containsKey(name))
        .forEach(name -> all.add(difference(kind, name, Double.NaN, 1, limit)));
  }

  private static Difference difference(
      Kind kind, String name, double off, double scale, double limit) {
    double difference = Double.isNaN(off) ? Double.POSITIVE_INFINITY : off;
    return new Difference(kind, name, difference, scale, limit);
  }
}
