package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.Scan;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Tells the overflows by which an fp16 loss scale is found from a scale that keeps falling: the log
 * ends among overflows, and the scale lost a factor of five hundred, or it falls step by step below
 * what a search ends at, wherever the excerpt begins.
 */
final class Overflows {
  private static final double LOST = 500;
  private static final int NEAR_END = 40;

  /** No search for a scale goes below; gradients that still overflow are not finite. */
  private static final double LOW = 128;

  private static final int IN_A_ROW = 4;

  private final RuleBook book;

  Overflows(RuleBook book) {
    this.book = book;
  }

  /** The last overflow as evidence of the collapse. */
  Optional<Sighting> of(Scan scan) {
    List<Sighting> overflows =
        scan.sightings().stream().filter(s -> s.rule().id().equals("overflow")).toList();
    if (overflows.isEmpty()) {
      return Optional.empty();
    }
    Sighting last = overflows.getLast();
    List<Double> scales =
        overflows.stream()
            .filter(s -> s.log() == last.log())
            .filter(s -> Conditions.rankOf(s).equals(Conditions.rankOf(last)))
            .flatMap(s -> scale(s).stream().boxed())
            .toList();
    boolean atEnd = scan.logs().get(last.log()).lines() - last.number() <= NEAR_END;
    if (!atEnd || scales.isEmpty()) {
      return Optional.empty();
    }
    double highest = scales.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    double lowest = scales.getLast();
    boolean lost = lowest * LOST <= highest;
    if (!lost && !(lowest < LOW && fallen(scales) >= IN_A_ROW)) {
      return Optional.empty();
    }
    Map<String, String> captures = new HashMap<>();
    Conditions.rankOf(last).ifPresent(rank -> captures.put("rank", String.valueOf(rank)));
    captures.put("from", String.valueOf(highest));
    captures.put("to", last.captures().getOrDefault("scale", ""));
    return Optional.of(
        new Sighting(
            book.rule("loss_scale_collapse"), 0, last.log(), last.number(), last.line(), captures));
  }

  /** How many of the last scales are lower than the one before, the first of them included. */
  private static int fallen(List<Double> scales) {
    int count = 1;
    for (int i = scales.size() - 1; i > 0 && scales.get(i) < scales.get(i - 1); i--) {
      count++;
    }
    return count;
  }

  private static OptionalDouble scale(Sighting s) {
    try {
      return OptionalDouble.of(Double.parseDouble(s.captures().getOrDefault("scale", "")));
    } catch (NumberFormatException e) {
      return OptionalDouble.empty();
    }
  }
}
