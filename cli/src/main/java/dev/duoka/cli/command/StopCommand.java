package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.control.ControlClient;
import dev.duoka.operations.control.StopOrder;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka stop}: lets a run save and end. */
@Command(
    name = "stop",
    description = {
      "Let a run save after its current step and end.",
      "Exit status 0 when the run has ended.",
      "Example: duoka stop runs/demo"
    })
final class StopCommand implements Runnable {
  private static final long TICK_MILLISECONDS = 200;

  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(names = "--now", description = "End it at once, without saving.")
  private boolean now;

  @Option(names = "--json", description = "Print how the run is then, as one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    StateFolder state = StateFolder.standard();
    RunRegistry.Entry entry = new RunRegistry(state).find(run);
    if (!RunStatus.of(entry).isActive()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the run " + entry.folder() + " does not go on: it is " + RunStatus.of(entry).state(),
          "duoka runs --active lists those that do");
    }
    if (entry.process().isPresent()) {
      ProcessIdentity process = entry.process().get();
      if (now) {
        process.kill();
      } else {
        process.terminate();
      }
    } else {
      ControlClient client = new ControlClient(state, entry.supervision());
      if (now) {
        client.endAtOnce();
      } else {
        client.stop(StopOrder.STOP);
      }
    }
    RunStatus status = ended(entry);
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        json
            ? Json.line(status.json())
            : entry.folder()
                + " has ended after step "
                + status.progress().step()
                + (status.reason().isEmpty() ? "" : "; " + status.reason()));
    out.flush();
  }

  private static RunStatus ended(RunRegistry.Entry entry) {
    RunStatus status = RunStatus.of(entry);
    try {
      while (status.isActive()) {
        Thread.sleep(TICK_MILLISECONDS);
        status = RunStatus.of(entry);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return status;
  }
}
