package dev.duoka.cli.console;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Hears SIGINT (Ctrl-C), SIGTERM and SIGHUP while a command runs, in place of the JVM, which would
 * end the process. The first one is an order to finish, the second one to end at once.
 */
public final class StopSignals implements AutoCloseable {
  /** A process that a signal ended has this plus the signal's number as its exit status. */
  private static final int SIGNALLED = 128;

  private final Runnable first;
  private final IntConsumer second;
  private final List<SystemSignal> signals = new ArrayList<>();
  private int heard;

  private StopSignals(Runnable first, IntConsumer second) {
    this.first = first;
    this.second = second;
  }

  /**
   * Starts to listen.
   *
   * @param first called at the first signal
   * @param second called at the second one with the process's exit status; should end the process
   */
  public static StopSignals listen(Runnable first, IntConsumer second) {
    StopSignals stop = new StopSignals(first, second);
    stop.listen("INT", 2);
    stop.listen("TERM", 15);
    stop.listen("HUP", 1);
    return stop;
  }

  private void listen(String name, int number) {
    SystemSignal.handle(name, () -> heard(number)).ifPresent(signals::add);
  }

  private void heard(int number) {
    boolean again;
    synchronized (this) {
      again = heard != 0;
      heard = number;
    }
    if (again) {
      second.accept(SIGNALLED + number);
    } else {
      first.run();
    }
  }

  /** The exit status after the signal that was heard; 0 if there was none. */
  public synchronized int exitStatus() {
    return heard == 0 ? 0 : SIGNALLED + heard;
  }

  /** Gives the signals back to whoever had them. */
  @Override
  public void close() {
    signals.forEach(SystemSignal::restore);
  }
}
