package dev.duoka.train.snapshot;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The starts that took the steps which the run stands on. A start or a rollback at a step takes
 * back what starts after that step have done.
 */
final class Lineage {
  private final List<SnapshotLog.Start> starts = new ArrayList<>();
  private final Set<Integer> numbers = new HashSet<>();

  Lineage(List<SnapshotLog.Entry> entries) {
    for (SnapshotLog.Entry entry : entries) {
      switch (entry) {
        case SnapshotLog.Start start -> {
          dropFrom(start.afterStep());
          starts.add(start);
        }
        case SnapshotLog.WentBack back -> dropFrom(back.step());
        case SnapshotLog.Products _ -> {}
      }
    }
    starts.forEach(start -> numbers.add(start.number()));
  }

  private void dropFrom(long step) {
    while (!starts.isEmpty() && starts.getLast().afterStep() >= step) {
      starts.removeLast();
    }
  }

  /** Whether steps of a start may count. */
  boolean has(SnapshotLog.Start start) {
    return numbers.contains(start.number());
  }

  /** The start that took a step, and so wrote its checkpoint; empty where none was recorded. */
  Optional<SnapshotLog.Start> of(long step) {
    return starts.reversed().stream().filter(start -> start.afterStep() < step).findFirst();
  }

  /**
   * The last step before the newest snapshot began to count: where the one before it ended. Empty
   * where all starts have the same one.
   */
  Optional<SnapshotLog.Start> firstOfNewest() {
    for (int i = starts.size() - 1; i > 0; i--) {
      if (!starts.get(i - 1).hash().equals(starts.getLast().hash())) {
        return Optional.of(starts.get(i));
      }
    }
    return Optional.empty();
  }
}
