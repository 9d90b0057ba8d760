package dev.duoka.parallel.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a row of costs into neighbouring groups whose largest sum is the smallest possible, by
 * dynamic programming.
 */
final class BalancedCut {
  private final List<Double> costs;
  private final double first;
  private final double last;

  /**
   * A row to cut.
   *
   * @param first cost that the first group has besides
   * @param last cost that the last group has besides
   */
  BalancedCut(List<Double> costs, double first, double last) {
    this.costs = costs;
    this.first = first;
    this.last = last;
  }

  /** How many of the row each of {@code groups} has, at least one. */
  List<Integer> into(int groups) {
    int n = costs.size();
    double[][] best = new double[groups + 1][n + 1];
    int[][] start = new int[groups + 1][n + 1];
    for (int g = 1; g <= groups; g++) {
      for (int end = g; end <= n - (groups - g); end++) {
        best[g][end] = Double.POSITIVE_INFINITY;
        double sum = g == groups ? last : 0;
        for (int from = end - 1; from >= g - 1; from--) {
          sum += costs.get(from);
          if (g == 1 && from > 0) {
            continue; // the first group begins at the beginning
          }
          double largest = g == 1 ? sum + first : Math.max(best[g - 1][from], sum);
          if (largest < best[g][end]) {
            best[g][end] = largest;
            start[g][end] = from;
          }
        }
      }
    }
    List<Integer> sizes = new ArrayList<>();
    int end = n;
    for (int g = groups; g >= 1; g--) {
      sizes.addFirst(end - start[g][end]);
      end = start[g][end];
    }
    return sizes;
  }
}
