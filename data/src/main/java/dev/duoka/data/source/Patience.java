package dev.duoka.data.source;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends a decoder's step that never ends: on some damaged files the decoder's own threads go round
 * in a circle, and the reader waits for them. Nothing can end those; as daemons they end with the
 * program. For one reading thread at a time.
 */
final class Patience implements AutoCloseable {
  /** Far more than the largest page of a sound file takes. */
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** The step took longer than any sound file's does. */
  static final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LostException(Duration limit, RuntimeException cause) {
      super("one step has not ended after " + limit.toSeconds() + " seconds", cause);
    }
  }

  private final Duration limit;
  private final Thread watch;
  private @Nullable Thread reading;
  private long since;
  private boolean lost;

  Patience() {
    this(LIMIT);
  }

  Patience(Duration limit) {
    this.limit = limit;
    // No virtual thread: the decoder's are, and one that never ends keeps a processor of theirs.
    this.watch = Thread.ofPlatform().daemon().name("duoka-decoder-watch").start(this::watch);
  }

  /** Runs a step, which is interrupted when it takes too long. */
  <T> T with(Supplier<T> step) {
    begin();
    try {
      return step.get();
    } catch (RuntimeException e) {
      if (isLost()) {
        throw new LostException(limit, e);
      }
      throw e;
    } finally {
      end();
    }
  }

  private synchronized void begin() {
    reading = Thread.currentThread();
    since = System.nanoTime();
  }

  private synchronized boolean isLost() {
    return lost;
  }

  private synchronized void end() {
    reading = null;
    if (lost) {
      Thread.interrupted(); // the interrupt was ours
    }
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(limit.dividedBy(10));
        look();
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  private synchronized void look() {
    if (reading != null && System.nanoTime() - since > limit.toNanos()) {
      lost = true;
      reading.interrupt();
    }
  }

  @Override
  public void close() {
    watch.interrupt();
  }
}
