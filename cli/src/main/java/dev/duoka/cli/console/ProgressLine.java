package dev.duoka.cli.console;

import dev.duoka.base.Progress;
import java.io.PrintWriter;
import java.util.function.Supplier;

/**
 * A line of a terminal that says how far something is, once that has taken two seconds; it is gone
 * when the thing is done. Elsewhere than on a terminal a line is printed every few seconds.
 * Thread-safe.
 */
public final class ProgressLine implements Progress, AutoCloseable {
  private static final long PATIENCE_MILLISECONDS = 2000;
  private static final long EVERY_MILLISECONDS = 500;
  private static final long ELSEWHERE_MILLISECONDS = 5000;
  private static final int CELLS = 24;
  private static final String CLEAR = "\r\033[K";

  private final PrintWriter out;
  private final boolean isOnTerminal;
  private long start = System.nanoTime();
  private String what;
  private long done;
  private long total;
  private boolean drawn;
  private boolean closed;

  private ProgressLine(String what, PrintWriter out, boolean isOnTerminal) {
    this.what = what;
    this.out = out;
    this.isOnTerminal = isOnTerminal;
  }

  /**
   * Begins one.
   *
   * @param what is done, for example {@code planning}
   * @param out where it is drawn
   */
  public static ProgressLine open(String what, PrintWriter out) {
    ProgressLine line = new ProgressLine(what, out, Screen.isTerminal());
    Thread.ofPlatform().daemon().name("progress").start(line::draw);
    return line;
  }

  /** What something gives that may take long. */
  public static <T> T during(String what, PrintWriter out, Supplier<T> work) {
    try (ProgressLine _ = open(what, out)) {
      return work.get();
    }
  }

  /** One that is drawn at once, each time that it is asked to. */
  static ProgressLine drawn(String what, PrintWriter out, boolean isOnTerminal) {
    return new ProgressLine(what, out, isOnTerminal);
  }

  @Override
  public synchronized void reached(String part, long newDone, long newTotal) {
    if (!part.equals(what)) {
      start = System.nanoTime();
    }
    what = part;
    done = newDone;
    total = newTotal;
  }

  /** Says what is done next, of which nobody knows how much it is. */
  public void turnTo(String next) {
    reached(next, 0, 0);
  }

  /** Makes room for a line of text; this one comes back below it. */
  public synchronized void clear() {
    if (drawn) {
      out.print(CLEAR);
      out.flush();
      drawn = false;
    }
  }

  private void draw() {
    try {
      Thread.sleep(isOnTerminal ? PATIENCE_MILLISECONDS : ELSEWHERE_MILLISECONDS);
      while (drawOnce()) {
        Thread.sleep(isOnTerminal ? EVERY_MILLISECONDS : ELSEWHERE_MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Draws it as it is; false when it is done. */
  synchronized boolean drawOnce() {
    if (closed) {
      return false;
    }
    String text = text((System.nanoTime() - start) / 1_000_000_000L);
    if (isOnTerminal) {
      out.print(CLEAR + text);
      drawn = true;
    } else {
      out.println(text);
    }
    out.flush();
    return true;
  }

  /** For example {@code tokenising [######……………………] 25 %, 5 s, 15 s left}. */
  private String text(long seconds) {
    if (total <= 0) {
      return what + " … " + seconds + " s";
    }
    long reached = Math.clamp(done, 0L, total);
    int filled = (int) (CELLS * reached / total);
    String left = reached > 0 ? ", " + seconds * (total - reached) / reached + " s left" : "";
    return what
        + " ["
        + "#".repeat(filled)
        + ".".repeat(CELLS - filled)
        + "] "
        + 100 * reached / total
        + " %, "
        + seconds
        + " s"
        + left;
  }

  @Override
  public synchronized void close() {
    closed = true;
    clear();
  }
}
