package dev.duoka.parallel.proof;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Compares what a mesh and what one rank made of the same work. */
final class Equality {
  /** Of a tensor's largest element. */
  static final double GRADIENTS = 1e-10;

  /** Relative, of losses and norms. */
  static final double LOSSES = 1e-9;

  private Equality() {}

  /** What differs by more than rounding; empty where nothing does. */
  static List<String> differences(Trial.Result mesh, Trial.Result alone, boolean gradients) {
    List<String> differences = new ArrayList<>();
    for (int step = 0; step < alone.losses().size(); step++) {
      double[] expected = alone.losses().get(step);
      double[] actual = mesh.losses().get(step);
      String[] names = {"loss", "further loss", "norm"};
      for (int i = 0; i < names.length; i++) {
        if (Double.isNaN(expected[i]) && Double.isNaN(actual[i])) {
          continue;
        }
        if (!(Math.abs(actual[i] - expected[i]) <= LOSSES * Math.abs(expected[i]))) {
          differences.add(names[i] + " of step " + step + ": " + actual[i] + " for " + expected[i]);
        }
      }
    }
    if (gradients) {
      compare("gradient of ", mesh.gradients(), alone.gradients(), GRADIENTS, differences);
    }
    compare("weight ", mesh.weights(), alone.weights(), 1e-7, differences);
    return differences;
  }

  private static void compare(
      String what,
      Map<String, double[]> actual,
      Map<String, double[]> expected,
      double tolerance,
      List<String> differences) {
    if (!actual.keySet().equals(expected.keySet())) {
      differences.add(what + "names " + actual.keySet() + " for " + expected.keySet());
      return;
    }
    expected.forEach(
        (name, values) -> {
          double[] others = actual.getOrDefault(name, new double[values.length]);
          double largest = 0;
          double difference = 0;
          for (int i = 0; i < values.length; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
            double off = Math.abs(values[i] - others[i]);
            difference = Double.isNaN(off) ? Double.POSITIVE_INFINITY : Math.max(difference, off);
          }
          if (!(difference <= tolerance * largest)) {
            differences.add(what + name + ": " + difference + " of " + largest);
          }
        });
  }
}
