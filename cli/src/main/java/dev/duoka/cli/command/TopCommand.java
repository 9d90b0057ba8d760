package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.cli.console.Screen;
import dev.duoka.cli.console.StopSignals;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.LoadLines;
import dev.duoka.operations.watch.TopFrame;
import dev.duoka.operations.watch.WatchedRun;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka top}: a run in a terminal. */
@Command(
    name = "top",
    description = {
      "Show the numbers, curves and log of a run that goes on or is over on one screen, anew each"
          + " second, until Ctrl-C. Where the output is no terminal, once.",
      "Example: duoka top runs/demo --once"
    })
final class TopCommand implements Runnable {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RUN",
      description =
          "A run's folder, or its name as duoka runs shows it. Default: the newest that goes on,"
              + " else the newest.")
  private @Nullable String run;

  @Option(names = "--once", description = "Print one screen and end.")
  private boolean once;

  @Option(
      names = "--json",
      description = "Print one JSON object with what there is of the run, and end.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    StateFolder state = StateFolder.standard();
    RunRegistry registry = new RunRegistry(state);
    WatchedRun watched = new WatchedRun(run == null ? newest(registry) : registry.find(run), state);
    try (ProgressLine _ = ProgressLine.open("reading the run", spec.commandLine().getErr())) {
      watched.readAll();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(watched.overview()));
      out.flush();
      return;
    }
    LoadLines loads = new LoadLines();
    try {
      if (once || !Screen.isTerminal()) {
        new TopFrame(Screen.columns(), Screen.lines())
            .of(watched, loads.awaited(watched))
            .forEach(out::println);
        out.flush();
        return;
      }
      show(watched, loads, out);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void show(WatchedRun watched, LoadLines loads, PrintWriter out)
      throws InterruptedException {
    CountDownLatch stop = new CountDownLatch(1);
    try (StopSignals _ =
            StopSignals.listen(stop::countDown, status -> Runtime.getRuntime().halt(status));
        Screen screen = new Screen(out)) {
      do {
        watched.readAll();
        screen.show(new TopFrame(Screen.columns(), Screen.lines()).of(watched, loads.of(watched)));
      } while (!stop.await(1, TimeUnit.SECONDS));
    }
  }

  private static RunRegistry.Entry newest(RunRegistry registry) {
    List<RunRegistry.Entry> entries = registry.entries();
    return entries.stream()
        .filter(entry -> RunStatus.of(entry).isActive())
        .findFirst()
        .or(() -> entries.stream().findFirst())
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.USAGE,
                    "no run was started by this user here",
                    "Start one with duoka train, or name a run's folder"));
  }
}
