package dev.duoka.operations.watch;

import java.util.ArrayList;
import java.util.List;

/**
 * What a run that goes on takes of this machine, as lines of text: its cards, and its processes'
 * part of the CPU and of memory. None for a run that is over or is elsewhere.
 */
public final class LoadLines {
  private static final int ATTEMPTS = 20;
  private static final long PAUSE_MILLISECONDS = 100;
  private static final int LEAST_ATTEMPTS = 5;

  private final CardLines cards = new CardLines();
  private final ProcessLines processes = new ProcessLines();

  /** What is known by now; what cards say comes later. Returns at once. */
  public List<String> of(WatchedRun run) {
    List<String> lines = new ArrayList<>(cards.of(run));
    lines.addAll(processes.of(run.processes()));
    return lines;
  }

  /**
   * The same for those who look once: waits until the cards have answered, two seconds at most, and
   * half a second for the part of the CPU.
   */
  public List<String> awaited(WatchedRun run) throws InterruptedException {
    processes.of(run.processes());
    for (int i = 1; i < ATTEMPTS && (i <= LEAST_ATTEMPTS || !cards.haveAnswered(run)); i++) {
      Thread.sleep(PAUSE_MILLISECONDS);
    }
    return of(run);
  }
}
