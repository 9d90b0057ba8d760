package dev.duoka.parallel.proof;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

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

  /**
   * Something that is not equal.
   *
   * @param name for example {@code gradient of model.norm.weight}
   * @param difference how large it is; infinite where one side has no number
   * @param scale what it is measured by
   * @param limit how much of that may be
   */
  public record Difference(String name, double difference, double scale, double limit) {
    /** As a part of the size. */
    public double relative() {
      return difference / scale;
    }

    /** How many times the limit it is. */
    public double excess() {
      return relative() / limit;
    }

    /** For example {@code norm of step 0: 0.1 of 2.0}. */
    @Override
    public String toString() {
      return name + ": " + difference + " of " + scale;
    }
  }

  /** What differs by more than it may, the worst first; empty where nothing does. */
  public List<Difference> differences(Training.Outcome actual, Training.Outcome expected) {
    List<Difference> found = new ArrayList<>();
    for (int step = 0; step < expected.losses().size(); step++) {
      for (String name : Training.StepLosses.names()) {
        double wanted = expected.losses().get(step).of(name);
        double got = actual.losses().get(step).of(name);
        if (!(Double.isNaN(wanted) && Double.isNaN(got))) {
          double off = Math.abs(got - wanted);
          add(found, name + " of step " + step, off, Math.abs(wanted), losses);
        }
      }
    }
    compare(found, "gradient of ", actual.gradients(), expected.gradients(), gradients);
    compare(found, "weight ", actual.weights(), expected.weights(), weights);
    found.sort(Comparator.comparingDouble(Difference::excess).reversed());
    return found;
  }

  private void compare(
      List<Difference> found,
      String what,
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
          add(found, what + name, off, scale, limit);
        });
    actual.keySet().stream()
        .filter(name -> !expected.containsKey(name))
        .forEach(name -> add(found, what + name, Double.NaN, 1, limit));
  }

  private static void add(
      List<Difference> found, String name, double off, double scale, double limit) {
    if (!(off <= limit * scale)) {
      double difference = Double.isNaN(off) ? Double.POSITIVE_INFINITY : off;
      found.add(new Difference(name, difference, scale, limit));
    }
  }
}
