package dev.duoka.operations.supervise;

import dev.duoka.operations.control.StopOrder;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunEnd;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.nio.file.Path;
import java.util.Optional;

/** The process of a supervisor. */
public final class SupervisorMain {
  private SupervisorMain() {}

  /** Supervises a run: its arguments are the run's folder and this machine's number. */
  public static void main(String[] arguments) throws InterruptedException {
    SupervisionFolder folder =
        new SupervisionFolder(Path.of(arguments[0]), Integer.parseInt(arguments[1]));
    StopState stop = new StopState();
    Thread supervising = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> terminated(stop, supervising), "terminated"));
    Optional<RunEnd> end = Optional.empty();
    try {
      end = Supervisor.run(folder, StateFolder.standard(), stop);
    } catch (RuntimeException e) {
      e.printStackTrace();
      new RunEnd(ExitStatus.FAILED, false, "the supervisor failed: " + e.getMessage())
          .write(folder);
    }
    Runtime.getRuntime().halt(end.map(RunEnd::status).orElse(ExitStatus.FAILED));
  }

  /** SIGTERM is an order to save and end; the JVM waits for that. */
  private static void terminated(StopState stop, Thread supervising) {
    stop.stop(StopOrder.TERMINATE);
    try {
      supervising.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
