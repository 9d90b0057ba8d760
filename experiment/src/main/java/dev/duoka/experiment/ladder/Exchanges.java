package dev.duoka.experiment.ladder;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code duoka bench comm} has measured between the ranks of a rung.
 *
 * @param lines by collective and size
 * @param failure why there are none; empty where there are
 */
record Exchanges(List<Line> lines, Optional<String> failure) {
  /** Those that use all links in full; what one rank sends another is measured more loosely. */
  private static final Set<String> COMPARED = Set.of("all-reduce", "reduce-scatter", "all-gather");

  Exchanges {
    lines = List.copyOf(lines);
  }

  /**
   * A collective of one size.
   *
   * @param bus GB/s that the busiest link has carried at least; NaN where the result is wrong
   * @param wrong what was wrong with the result; empty where nothing was
   */
  record Line(String transport, String collective, long bytes, double bus, Optional<String> wrong) {
    /** For example {@code all-reduce by nccl}. */
    String name() {
      return collective + " by " + transport;
    }
  }

  /** One line of each collective that gives a wrong result: the smallest size. */
  List<Line> wrongCollectives() {
    Map<String, Line> wrong = new LinkedHashMap<>();
    lines.stream()
        .filter(line -> line.wrong().isPresent())
        .sorted(Comparator.comparingLong(Line::bytes))
        .forEach(line -> wrong.putIfAbsent(line.name(), line));
    return List.copyOf(wrong.values());
  }

  /** The slowest of those of the largest size; empty where none was measured. */
  Optional<Line> slowest() {
    long largest = lines.stream().mapToLong(Line::bytes).max().orElse(0);
    return lines.stream()
        .filter(line -> line.bytes() == largest && COMPARED.contains(line.collective()))
        .filter(line -> !Double.isNaN(line.bus()))
        .min(Comparator.comparingDouble(Line::bus));
  }
}
