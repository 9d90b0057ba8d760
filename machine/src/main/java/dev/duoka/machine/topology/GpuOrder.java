package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Which GPU each rank takes so that those who exchange most have the fastest links. It starts from
 * the plain order and from that of the NVLink groups, and swaps GPUs as long as that is better;
 * what is equally good stays in plain order. Deterministic.
 */
public final class GpuOrder {
  /** Seconds per GB by which a farther kind of way counts where the rates are the same. */
  private static final double FARTHER = 1e-6;

  /** Seconds per GB of a way of which nothing is known. */
  private static final double UNKNOWN = 1;

  /** Differences below are those of rounding. */
  private static final double SAME = 1e-9;

  /**
   * Ranks that exchange with each other.
   *
   * @param groups the ranks of each group, from 0
   * @param chain whether each exchanges with its neighbours alone, as stages do; else all with all
   */
  public record Exchange(List<List<Integer>> groups, boolean chain) {
    public Exchange {
      groups = List.copyOf(groups);
    }
  }

  private final double[][] distances;
  private final List<Exchange> exchanges;
  private final int ranks;

  private GpuOrder(double[][] distances, List<Exchange> exchanges, int ranks) {
    this.distances = distances;
    this.exchanges = exchanges;
    this.ranks = ranks;
  }

  /**
   * The GPUs of the ranks, in the order of the ranks.
   *
   * @param gpus those that may be taken, by their indices, in plain order
   * @param ranks no more than GPUs
   * @param exchanges the one that needs fast links most first: it alone decides where it can
   */
  public static List<Integer> of(
      Topology topology, List<Integer> gpus, int ranks, List<Exchange> exchanges) {
    GpuOrder search = new GpuOrder(distances(topology, gpus), exchanges, ranks);
    List<Integer> plain = new ArrayList<>();
    for (int i = 0; i < gpus.size(); i++) {
      plain.add(i);
    }
    List<Integer> grouped =
        Placement.of(topology).rankOrder().stream()
            .map(gpus::indexOf)
            .filter(at -> at >= 0)
            .toList();
    List<Integer> best = search.improved(plain);
    List<Integer> other = search.improved(grouped);
    boolean moved = !best.equals(plain);
    if (moved
        ? !search.better(search.cost(best), search.cost(other))
        : search.better(search.cost(other), search.cost(best))) {
      best = other;
    }
    search.tidy(best);
    return best.subList(0, ranks).stream().map(gpus::get).toList();
  }

  private static double[][] distances(Topology topology, List<Integer> gpus) {
    double[][] distances = new double[gpus.size()][gpus.size()];
    for (int i = 0; i < gpus.size(); i++) {
      for (int j = i + 1; j < gpus.size(); j++) {
        double distance = distance(topology, gpus.get(i), gpus.get(j));
        distances[i][j] = distance;
        distances[j][i] = distance;
      }
    }
    return distances;
  }

  private static double distance(Topology topology, int a, int b) {
    double farther = topology.link(a, b).map(link -> FARTHER * link.kind().ordinal()).orElse(0.0);
    return Bandwidths.expected(topology, a, b).map(rate -> 1 / rate.low()).orElse(UNKNOWN)
        + farther;
  }

  /** Swaps the pair that gains most, until none gains. */
  private List<Integer> improved(List<Integer> start) {
    List<Integer> order = new ArrayList<>(start);
    double[] cost = cost(order);
    boolean gained = true;
    while (gained) {
      gained = false;
      int first = 0;
      int second = 0;
      for (int i = 0; i < ranks; i++) {
        for (int j = i + 1; j < order.size(); j++) {
          Collections.swap(order, i, j);
          double[] swapped = cost(order);
          Collections.swap(order, i, j);
          if (better(swapped, cost)) {
            cost = swapped;
            first = i;
            second = j;
            gained = true;
          }
        }
      }
      if (gained) {
        Collections.swap(order, first, second);
      }
    }
    return order;
  }

  /** Of equally good orders that in which smaller numbers come first. */
  private void tidy(List<Integer> order) {
    double[] cost = cost(order);
    for (int i = 0; i < ranks; i++) {
      for (int j = i + 1; j < order.size(); j++) {
        if (order.get(j) < order.get(i)) {
          Collections.swap(order, i, j);
          if (better(cost, cost(order))) {
            Collections.swap(order, i, j);
          }
        }
      }
    }
  }

  private boolean better(double[] a, double[] b) {
    for (int i = 0; i < a.length; i++) {
      if (Math.abs(a[i] - b[i]) > SAME) {
        return a[i] < b[i];
      }
    }
    return false;
  }

  private double[] cost(List<Integer> order) {
    double[] cost = new double[exchanges.size()];
    Arrays.setAll(cost, i -> cost(order, exchanges.get(i)));
    return cost;
  }

  private double cost(List<Integer> order, Exchange exchange) {
    double sum = 0;
    for (List<Integer> group : exchange.groups()) {
      for (int i = 0; i < group.size(); i++) {
        int end = exchange.chain() ? Math.min(i + 2, group.size()) : group.size();
        for (int j = i + 1; j < end; j++) {
          sum += distances[order.get(group.get(i))][order.get(group.get(j))];
        }
      }
    }
    return sum;
  }
}
