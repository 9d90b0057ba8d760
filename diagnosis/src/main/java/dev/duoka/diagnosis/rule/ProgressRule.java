package dev.duoka.diagnosis.rule;

import java.util.List;

/**
 * How a line looks that shows that a run goes on, or ended well.
 *
 * @param examples lines that it knows
 */
public record ProgressRule(
    String id, Kind kind, List<LinePattern> patterns, List<String> sources, List<String> examples) {

  /** What such a line shows. */
  public enum Kind {
    /** A training step was done. */
    STEP,
    /** The run ended well. */
    END
  }

  /** Whether the line is of this kind. */
  public boolean knows(String body) {
    return patterns.stream().anyMatch(pattern -> pattern.find(body).isPresent());
  }
}
