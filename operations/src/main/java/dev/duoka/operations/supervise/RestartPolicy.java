package dev.duoka.operations.supervise;

import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunEnd;
import java.util.OptionalLong;

/**
 * Whether a run that failed is started again: within a budget, and without progress since the last
 * time only once. One thread.
 */
final class RestartPolicy {
  private final int budget;
  private int used;
  private long progress;
  private boolean idle;

  /**
   * A policy.
   *
   * @param budget how often a run is started again at most
   * @param used how often it was already
   * @param checkpoint the newest one when the run, or its supervisor, began
   */
  RestartPolicy(int budget, int used, OptionalLong checkpoint) {
    this.budget = budget;
    this.used = used;
    this.progress = checkpoint.orElse(0);
  }

  /** What is done about a failure. */
  sealed interface Decision {
    /** The run is over. */
    record Over(RunEnd end) implements Decision {}

    /**
     * The run is started again.
     *
     * @param reason why that may help
     */
    record Again(String reason) implements Decision {}
  }

  /**
   * Decides.
   *
   * @param checkpoint the newest one now
   */
  Decision decide(AttemptEnd end, OptionalLong checkpoint) {
    if (end.failure().isPresent()) {
      int status = hopeless(end.failure().get().code());
      if (status != 0) {
        return over(status, end.text());
      }
    }
    if (used >= budget) {
      return over(
          ExitStatus.FAILED,
          end.text()
              + ". The run was started again "
              + Plural.of(used, "time")
              + ", which is its budget (--max-restarts)");
    }
    boolean further = checkpoint.orElse(0) > progress;
    if (!further && idle) {
      return over(
          ExitStatus.DO_NOT_REQUEUE,
          end.text() + ". The same happened before without a checkpoint in between");
    }
    used++;
    idle = !further;
    progress = checkpoint.orElse(0);
    String from =
        checkpoint.isPresent()
            ? "from the checkpoint of step " + checkpoint.getAsLong()
            : "from its beginning";
    return new Decision.Again(
        end.text()
            + ". The run is started again "
            + from
            + " ("
            + used
            + " of "
            + budget
            + (further || used == 1 ? "" : ", without progress since the last time, once")
            + ")");
  }

  private static Decision.Over over(int status, String reason) {
    return new Decision.Over(new RunEnd(status, false, reason));
  }

  /** The status of a run that would fail again in the same way; 0 for others. */
  private static int hopeless(ErrorCode code) {
    return switch (code) {
      case USAGE, CONFIG -> ExitStatus.WRONG;
      case DATA, FORMAT, CHECKPOINT, NATIVE_LIBRARY, TENSOR, NUMERICS, OUT_OF_MEMORY ->
          ExitStatus.DO_NOT_REQUEUE;
      case NATIVE_CALL, DEVICE, IO, NO_SPACE, RANK_LOST -> 0;
    };
  }
}
