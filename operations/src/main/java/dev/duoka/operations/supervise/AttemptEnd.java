package dev.duoka.operations.supervise;

import dev.duoka.base.ErrorCode;
import dev.duoka.operations.run.WorkerFolder.Failure;
import java.util.Optional;

/**
 * How an attempt ended.
 *
 * @param complete whether all workers ended with status 0
 * @param saved whether all workers ended as they do when they were told to, and are saved
 * @param failure the error that was the first cause; empty where no worker could say
 * @param text what happened, for people
 * @param divergence that it was ended for; empty for others
 */
record AttemptEnd(
    boolean complete,
    boolean saved,
    Optional<Failure> failure,
    String text,
    Optional<Divergence> divergence) {
  /** One that has failed. */
  static AttemptEnd failed(Optional<Failure> failure, String text) {
    return new AttemptEnd(false, false, failure, text, Optional.empty());
  }

  /** Whether the first cause is of a kind. */
  boolean is(ErrorCode code) {
    return failure.filter(it -> it.code() == code).isPresent();
  }
}
