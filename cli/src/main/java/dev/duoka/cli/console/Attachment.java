package dev.duoka.cli.console;

import dev.duoka.base.DuokaException;
import dev.duoka.operations.control.ControlClient;
import dev.duoka.operations.control.StopOrder;
import dev.duoka.operations.run.RunEnd;
import dev.duoka.operations.run.RunFollower;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.supervise.SupervisorStart;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Optional;

/**
 * A terminal at a supervised run: it shows what the run prints, and passes signals on as orders.
 * When the terminal is closed the run goes on.
 */
public final class Attachment implements RunFollower.Output {
  private static final long TICK_MILLISECONDS = 200;

  /** How many ticks without a supervisor until another one is started. */
  private static final int LONGEST_ABSENCE = 25;

  private final SupervisionFolder folder;
  private final ControlClient client;
  private final PrintWriter out;
  private final PrintWriter err;
  private int orders;

  /** A terminal at a run. */
  public Attachment(SupervisionFolder folder, StateFolder state, PrintWriter out, PrintWriter err) {
    this.folder = folder;
    this.client = new ControlClient(state, folder);
    this.out = out;
    this.err = err;
  }

  /**
   * Shows the run until it is over.
   *
   * @param follower made with this as its output
   * @return the run's exit status
   */
  public int follow(RunFollower follower) throws InterruptedException {
    int absent = 0;
    try (var _ = SystemSignals.listen(this)) {
      while (true) {
        Optional<RunEnd> end = RunEnd.read(folder);
        follower.poll();
        if (end.isPresent()) {
          if (end.get().status() != 0) {
            line(end.get().reason());
          }
          out.flush();
          return end.get().status();
        }
        absent = client.isThere() ? 0 : absent + 1;
        if (absent == LONGEST_ABSENCE) {
          absent = 0;
          line("the run's supervisor is gone; another one takes over");
          SupervisorStart.start(folder);
        }
        Thread.sleep(TICK_MILLISECONDS);
      }
    }
  }

  /** A place for output that nobody wants. */
  public static PrintWriter nowhere() {
    return new PrintWriter(Writer.nullWriter());
  }

  /**
   * Passes an order on. The second Ctrl-C ends the run at once; SIGTERM is sent more than once by
   * those who end jobs.
   */
  synchronized void order(StopOrder order) {
    orders++;
    try {
      if (orders == 1) {
        line("stopping: what was begun is finished and saved; Ctrl-C once more ends at once …");
        client.stop(order);
      } else if (order == StopOrder.INTERRUPT) {
        client.endAtOnce();
      }
    } catch (DuokaException e) {
      line(String.valueOf(e.getMessage())); // it has just ended, perhaps
    }
  }

  @Override
  public void standard(String text) {
    out.print(text);
    out.flush();
  }

  @Override
  public void error(String text) {
    err.print(text);
    err.flush();
  }

  @Override
  public void event(RunRecord.Entry entry) {
    if (!entry.event().equals("started")) {
      line(entry.text());
    }
  }

  private void line(String text) {
    err.println("run      " + text);
    err.flush();
  }

  /** The signals of a terminal while it shows a run. */
  private record SystemSignals(Optional<SystemSignal> interrupt, Optional<SystemSignal> terminate)
      implements AutoCloseable {
    static SystemSignals listen(Attachment attachment) {
      return new SystemSignals(
          SystemSignal.handle("INT", () -> attachment.order(StopOrder.INTERRUPT)),
          SystemSignal.handle("TERM", () -> attachment.order(StopOrder.TERMINATE)));
    }

    @Override
    public void close() {
      interrupt.ifPresent(SystemSignal::restore);
      terminate.ifPresent(SystemSignal::restore);
    }
  }
}
