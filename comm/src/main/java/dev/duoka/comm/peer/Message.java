package dev.duoka.comm.peer;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Pending;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way, of its sender or its receiver. What is to be done with the rank's stream is
 * done when it is joined.
 */
final class Message implements Pending {
  private final Supplier<@Nullable Throwable> failure;
  private final Function<Throwable, DuokaException> ended;
  private final BooleanSupplier arrived;
  private final Runnable wait;
  private final Runnable completion;
  private boolean done;

  /**
   * A message.
   *
   * @param ended what a rank throws that finds the exchange ended, for this reason
   * @param arrived whether it is known to have ended without being joined
   * @param wait lets the rank's stream wait for it
   * @param completion is told once that it has ended
   */
  Message(
      Supplier<@Nullable Throwable> failure,
      Function<Throwable, DuokaException> ended,
      BooleanSupplier arrived,
      Runnable wait,
      Runnable completion) {
    this.failure = failure;
    this.ended = ended;
    this.arrived = arrived;
    this.wait = wait;
    this.completion = completion;
  }

  @Override
  public void join() {
    if (done) {
      return;
    }
    Throwable lost = failure();
    if (lost != null) {
      throw ended.apply(lost);
    }
    wait.run();
    end();
  }

  @Override
  public boolean isDone() {
    if (!done && arrived.getAsBoolean()) {
      end();
    }
    return done;
  }

  private void end() {
    done = true;
    completion.run();
  }

  @Override
  public @Nullable Throwable failure() {
    return failure.get();
  }
}
