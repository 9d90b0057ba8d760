package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Which checkpoints of a run are kept.
 *
 * @param keepLast the newest so many, at least 1
 * @param keepEvery those at multiples of so many steps are kept for good; 0 for none
 * @param best steps of which the first that has a checkpoint is kept: the best one, and for as long
 *     as it is not written the best before it
 */
public record RetentionPolicy(int keepLast, long keepEvery, Supplier<List<Long>> best) {
  /** A policy that knows no best one. */
  public RetentionPolicy(int keepLast, long keepEvery) {
    this(keepLast, keepEvery, List::of);
  }

  public RetentionPolicy {
    if (keepLast < 1 || keepEvery < 0) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot keep the last " + keepLast + " checkpoints and one every " + keepEvery + " steps",
          "Keep at least 1, and every 0 steps or more");
    }
  }

  /** Those to delete of the checkpoints that can be used, newest first. */
  List<Checkpoint> superfluous(List<Checkpoint> usable) {
    Set<Long> there = usable.stream().map(Checkpoint::step).collect(Collectors.toSet());
    Optional<Long> kept = best.get().stream().filter(there::contains).findFirst();
    return usable.stream()
        .skip(keepLast)
        .filter(checkpoint -> kept.isEmpty() || kept.get() != checkpoint.step())
        .filter(checkpoint -> keepEvery == 0 || checkpoint.step() % keepEvery != 0)
        .toList();
  }
}
