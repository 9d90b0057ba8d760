package dev.duoka.cli.console;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Hears SIGINT (Ctrl-C), SIGTERM and SIGHUP while a command runs, in place of the JVM, which would
 * end the process. The first one is an order to finish, the second one to end at once.
 */
public final class StopSignals implements AutoCloseable {
  /** A process that a signal ended has this plus the signal's number as its exit status. */
  private static final int SIGNALLED = 128;

  private record Replaced(Signal signal, SignalHandler before) {}

  private final Runnable first;
  private final IntConsumer second;
  private final List<Replaced> replaced = new ArrayList<>();
  private @Nullable Signal heard;

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
    StopSignals signals = new StopSignals(first, second);
    for (String name : List.of("INT", "TERM", "HUP")) {
      Signal signal = new Signal(name);
      try {
        signals.replaced.add(new Replaced(signal, Signal.handle(signal, signals::heard)));
      } catch (IllegalArgumentException e) {
        continue; // the JVM was told to leave signals alone (-Xrs): then the system's way holds
      }
    }
    return signals;
  }

  private void heard(Signal signal) {
    boolean again;
    synchronized (this) {
      again = heard != null;
      heard = signal;
    }
    int status = SIGNALLED + signal.getNumber();
    if (again) {
      second.accept(status);
    } else {
      first.run();
    }
  }

  /** The exit status after the signal that was heard; 0 if there was none. */
  public synchronized int exitStatus() {
    return heard == null ? 0 : SIGNALLED + heard.getNumber();
  }

  /** Gives the signals back to whoever had them. */
  @Override
  public void close() {
    replaced.forEach(each -> Signal.handle(each.signal(), each.before()));
  }
}
