package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;

/**
 * Streams of events, each of which says how a run is whenever that has changed. There are so many
 * at most; who comes later must ask again and again. Thread-safe.
 */
final class EventStreams {
  /** How many there may be. */
  static final int MOST = 64;

  private static final long TICK_MILLISECONDS = 500;

  /** Ticks after which something is said in any case, so that who is gone is noticed. */
  private static final int LONGEST_SILENCE = 20;

  private final Semaphore places = new Semaphore(MOST);
  private volatile boolean closed;

  /** Takes a place; false when there is none. */
  boolean enter() {
    return !closed && places.tryAcquire();
  }

  /** Gives a place back. */
  void leave() {
    places.release();
  }

  /** Ends all streams. */
  void close() {
    closed = true;
  }

  /**
   * Says how a run is until nobody listens any more. Blocks.
   *
   * @param alive runs each time that somebody still listens
   * @throws IOException when nobody does
   */
  void send(OutputStream out, WatchedRun run, Runnable alive) throws IOException {
    long said = -1;
    int silent = 0;
    try {
      while (!closed) {
        long now = run.changes();
        if (now != said) {
          said = now;
          silent = 0;
          say(out, "data: " + WatchHandler.escaped(Json.line(new RunJson(run).overview())));
        } else if (++silent > LONGEST_SILENCE) {
          silent = 0;
          say(out, ": nothing new");
        }
        run.ask();
        alive.run();
        Thread.sleep(TICK_MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void say(OutputStream out, String line) throws IOException {
    out.write((line + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
