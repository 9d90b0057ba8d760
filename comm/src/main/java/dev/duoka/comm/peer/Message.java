package dev.duoka.comm.peer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Pending;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way, of its sender or its receiver. What is to be done with the rank's stream is
 * done when it is joined, and it counts as ended from then on.
 */
final class Message implements Pending {
  private final Supplier<@Nullable Throwable> failure;
  private final Runnable join;
  private boolean joined;

  Message(Supplier<@Nullable Throwable> failure, Runnable join) {
    this.failure = failure;
    this.join = join;
  }

  @Override
  public void join() {
    if (joined) {
      return;
    }
    Throwable lost = failure();
    if (lost != null) {
      throw new DuokaException(
          ErrorCode.RANK_LOST,
          "a message between two ranks does not arrive any more: " + lost.getMessage(),
          "",
          lost);
    }
    joined = true;
    join.run();
  }

  @Override
  public boolean isDone() {
    return joined;
  }

  @Override
  public @Nullable Throwable failure() {
    return failure.get();
  }
}
