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
 * Tells the overflows by which an fp16 loss scale is found from a scale that keeps falling: it lost
 * a factor of five hundred, and the log ends among overflows.
 */
final class Overflows {
  private static final double LOST = 500;
  private static final int NEAR_END = 40;

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
    double highest =
        overflows.stream()
            .filter(s -> s.log() == last.log())
            .mapToDouble(s -> scale(s).orElse(0))
            .max()
            .orElse(0);
    boolean atEnd = scan.logs().get(last.log()).lines() - last.number() <= NEAR_END;
    if (!atEnd || scale(last).isEmpty() || scale(last).getAsDouble() * LOST > highest) {
      return Optional.empty();
    }
    Map<String, String> captures = new HashMap<>();
    captures.put("from", String.valueOf(highest));
    captures.put("to", last.captures().getOrDefault("scale", ""));
    return Optional.of(
        new Sighting(
            book.rule("loss_scale_collapse"), 0, last.log(), last.number(), last.line(), captures));
  }

  private static OptionalDouble scale(Sighting s) {
    try {
      return OptionalDouble.of(Double.parseDouble(s.captures().getOrDefault("scale", "")));
    } catch (NumberFormatException e) {
      return OptionalDouble.empty();
    }
  }
}
