package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;

/**
 * Which checkpoints of a run are kept.
 *
 * @param keepLast the newest so many, at least 1
 * @param keepEvery those at multiples of so many steps are kept for good; 0 for none
 */
public record RetentionPolicy(int keepLast, long keepEvery) {
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
    return usable.stream()
        .skip(keepLast)
        .filter(checkpoint -> keepEvery == 0 || checkpoint.step() % keepEvery != 0)
        .toList();
  }
}
