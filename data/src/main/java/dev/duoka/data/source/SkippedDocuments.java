package dev.duoka.data.source;

import java.util.EnumMap;
import java.util.Map;

/** Counts documents that were left out, by reason. Safe for use by many threads. */
final class SkippedDocuments {
  private final EnumMap<SkipReason, Long> counts = new EnumMap<>(SkipReason.class);

  synchronized void add(SkipReason reason) {
    counts.merge(reason, 1L, Long::sum);
  }

  /** Counts so far, without reasons that never occurred. */
  synchronized Map<SkipReason, Long> counts() {
    return new EnumMap<>(counts);
  }
}
