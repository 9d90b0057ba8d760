package dev.duoka.hardware;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * How long an exchange takes, from samples by ranks and bytes: between sizes linear, as a latency
 * and bytes at a rate are; above the largest at its rate, below the smallest its time; for other
 * numbers of ranks at the bus bandwidth of the next larger one.
 */
public final class ExchangeTable {
  private record Point(double bytes, double seconds) {}

  private final Map<String, TreeMap<Integer, List<Point>>> byName = new TreeMap<>();

  /** A table of the exchanges that one transport carried. */
  ExchangeTable(List<ExchangeSample> samples, String transport) {
    samples.stream()
        .filter(it -> it.transport().equals(transport))
        .map(it -> Map.entry(it.name(), it.ranks()))
        .distinct()
        .forEach(key -> put(samples, transport, key.getKey(), key.getValue()));
  }

  private void put(List<ExchangeSample> samples, String transport, String name, int ranks) {
    List<Point> points =
        samples.stream()
            .filter(it -> it.transport().equals(transport))
            .filter(it -> it.name().equals(name) && it.ranks() == ranks)
            .map(it -> new Point(it.bytes(), it.seconds()))
            .sorted((a, b) -> Double.compare(a.bytes(), b.bytes()))
            .toList();
    byName.computeIfAbsent(name, _ -> new TreeMap<>()).put(ranks, points);
  }

  /**
   * Seconds of an exchange; empty where nothing like it was measured.
   *
   * @param ranks that take part
   * @param span the neighbouring cards that they are spread over, at least as many
   */
  public OptionalDouble seconds(String name, int ranks, int span, double bytes) {
    TreeMap<Integer, List<Point>> byRanks = byName.get(name);
    if (byRanks == null) {
      return OptionalDouble.empty();
    }
    Map.Entry<Integer, List<Point>> wider = byRanks.ceilingEntry(Math.max(ranks, span));
    Map.Entry<Integer, List<Point>> entry = wider == null ? byRanks.lastEntry() : wider;
    double share =
        name.equals(ExchangeSample.SEND) ? 1 : ofOthers(ranks) / ofOthers(entry.getKey());
    return OptionalDouble.of(share * seconds(entry.getValue(), bytes));
  }

  /** Whether an exchange was measured among so many cards or more, so that nothing is guessed. */
  public boolean reaches(String name, int cards) {
    TreeMap<Integer, List<Point>> byRanks = byName.get(name);
    return byRanks != null && byRanks.lastKey() >= cards;
  }

  /** The part of a vector that is on the other ranks: what links must carry grows with it. */
  private static double ofOthers(int ranks) {
    return (ranks - 1.0) / ranks;
  }

  private static double seconds(List<Point> points, double bytes) {
    Point last = points.getLast();
    if (bytes >= last.bytes()) {
      return last.seconds() * bytes / last.bytes();
    }
    Point below = points.getFirst();
    if (bytes <= below.bytes()) {
      return below.seconds();
    }
    for (Point above : points) {
      if (above.bytes() >= bytes) {
        double share = (bytes - below.bytes()) / (above.bytes() - below.bytes());
        return below.seconds() + share * (above.seconds() - below.seconds());
      }
      below = above;
    }
    return last.seconds();
  }
}
