package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.WeakHashMap;
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
  private final Map<WatchedRun, Said> said = new WeakHashMap<>();
  private volatile boolean closed;

  private record Said(long change, String line) {}

  /** Takes a place; false when there is none. */
  boolean enter() {
    return !closed && places.tryAcquire();
  }

  /** Gives a place back. */
  void leave() {
    places.release();
  }

  /** How many listen; who is gone counts until something was said to them. */
  int listening() {
    return MOST - places.availablePermits();
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
          say(out, overview(run, now));
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

  /** What all who listen are told of a change is made once. */
  private String overview(WatchedRun run, long change) {
    synchronized (said) {
      Said last = said.get(run);
      if (last == null || last.change() != change) {
        last =
            new Said(
                change, "data: " + WatchHandler.escaped(Json.line(new RunJson(run).overview())));
        said.put(run, last);
      }
      return last.line();
    }
  }

  private static void say(OutputStream out, String line) throws IOException {
    out.write((line + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
