package dev.duoka.data.source;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Counts documents that were left out, by reason, and names some. Safe for many threads. */
final class SkippedDocuments {
  private static final int NAMED = 3;

  private final List<String> names = new ArrayList<>();
  private final EnumMap<SkipReason, Long> counts = new EnumMap<>(SkipReason.class);

  synchronized void add(SkipReason reason) {
    counts.merge(reason, 1L, Long::sum);
  }

  /**
   * Counts one that has a name.
   *
   * @param name what messages call the document
   */
  synchronized void add(SkipReason reason, String name) {
    add(reason);
    if (names.size() < NAMED) {
      names.add(name);
    }
  }

  /** Some of those that have names, for example {@code chats.jsonl line 7}. */
  synchronized List<String> names() {
    return List.copyOf(names);
  }

  /** Counts so far, without reasons that never occurred. */
  synchronized Map<SkipReason, Long> counts() {
    return new EnumMap<>(counts);
  }
}
