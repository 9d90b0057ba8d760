package dev.duoka.machine.topology;

import java.util.Comparator;

/**
 * Two GPUs, the smaller index first.
 *
 * @param first the smaller index
 * @param second the larger index
 */
public record Pair(int first, int second) implements Comparable<Pair> {
  private static final Comparator<Pair> ORDER =
      Comparator.comparingInt(Pair::first).thenComparingInt(Pair::second);

  /** Checks the order. */
  public Pair {
    if (first < 0 || first >= second) {
      throw new IllegalArgumentException("not a pair: " + first + ", " + second);
    }
  }

  /** The pair of two different GPUs in any order. */
  public static Pair of(int a, int b) {
    return new Pair(Math.min(a, b), Math.max(a, b));
  }

  @Override
  public int compareTo(Pair other) {
    return ORDER.compare(this, other);
  }

  /** For example {@code 0-1}. */
  @Override
  public String toString() {
    return first + "-" + second;
  }
}
