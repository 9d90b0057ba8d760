package dev.duoka.hardware;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * Positive values at the points of a grid, and between them: linear in the logarithms of value and
 * coordinates. Outside of the grid the value at its edge.
 *
 * @param <T> what a point was made from
 */
final class LogGrid<T> {
  private final double[][] axes;
  private final Map<List<Double>, Double> logarithms = new HashMap<>();

  /**
   * A grid of samples.
   *
   * @param coordinates of a sample, all above 0
   * @throws IllegalArgumentException when a point of the grid has no sample, or there is none
   */
  LogGrid(List<T> samples, List<ToDoubleFunction<T>> coordinates, ToDoubleFunction<T> value) {
    axes =
        coordinates.stream()
            .map(axis -> samples.stream().mapToDouble(axis).distinct().sorted().toArray())
            .toArray(double[][]::new);
    for (T sample : samples) {
      logarithms.put(
          coordinates.stream().map(axis -> axis.applyAsDouble(sample)).toList(),
          Math.log(value.applyAsDouble(sample)));
    }
    long points = Arrays.stream(axes).mapToLong(axis -> axis.length).reduce(1, Math::multiplyExact);
    if (samples.isEmpty() || logarithms.size() != points) {
      throw new IllegalArgumentException(logarithms.size() + " samples of " + points);
    }
  }

  /** The least coordinate of an axis that there is a sample for. */
  double least(int axis) {
    return axes[axis][0];
  }

  /** The value at a point. */
  double at(double... point) {
    return Math.exp(logarithm(point, new Double[axes.length], 0));
  }

  /** The interpolation along one axis after the other. */
  private double logarithm(double[] point, Double[] corner, int axis) {
    if (axis == axes.length) {
      return Objects.requireNonNull(logarithms.get(List.of(corner)));
    }
    double[] values = axes[axis];
    double at = Math.clamp(point[axis], values[0], values[values.length - 1]);
    int above = 0;
    while (values[above] < at) {
      above++;
    }
    corner[axis] = values[above];
    double high = logarithm(point, corner.clone(), axis + 1);
    if (values[above] == at) {
      return high;
    }
    double below = values[above - 1];
    corner[axis] = below;
    double low = logarithm(point, corner.clone(), axis + 1);
    return low + (high - low) * Math.log(at / below) / Math.log(values[above] / below);
  }
}
