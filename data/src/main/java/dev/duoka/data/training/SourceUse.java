package dev.duoka.data.training;

import java.math.BigDecimal;

/** What a source is for, and how much of it training sees. */
public sealed interface SourceUse {
  /** An epoch of the run passes over it once. */
  record Once() implements SourceUse {}

  /**
   * An epoch of the run passes over it so many times, for example twice or half of it.
   *
   * @param times above 0
   */
  record Repeated(BigDecimal times) implements SourceUse {}

  /**
   * It gives its share of the sequences, however few it has; the run has no epochs.
   *
   * @param weight above 0; its share is its part of the sum of all weights
   */
  record Weighted(BigDecimal weight) implements SourceUse {}

  /** Nothing of it is trained on; all of it is held out. */
  record Validation() implements SourceUse {}
}
