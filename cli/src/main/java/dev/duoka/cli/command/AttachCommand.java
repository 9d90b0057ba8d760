package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.Attachment;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunFollower;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka attach}: a terminal at a run that goes on. */
@Command(
    name = "attach",
    description = {
      "Show a supervised run until it is over, as if it were started here: Ctrl-C saves and ends"
          + " it, closing the terminal does not. A supervisor that is gone is replaced.",
      "Exit status: the run's.",
      "Example: duoka attach runs/demo"
    })
final class AttachCommand implements Callable<Integer> {
  /** Some twenty lines. */
  private static final int LAST_BYTES = 2000;

  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(
      names = "--json",
      description = "Print nothing of what the run prints, and how it is at its end as one object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    StateFolder state = StateFolder.standard();
    RunRegistry.Entry entry = new RunRegistry(state).find(run);
    RunStatus status = RunStatus.of(entry);
    if (entry.process().isPresent() || status.attempt() == 0) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the run " + entry.folder() + " has no supervisor",
          "Runs that are started with --supervise can be attached to; duoka logs shows this one's");
    }
    SupervisionFolder folder = entry.supervision();
    Attachment attachment =
        new Attachment(
            folder,
            state,
            json ? Attachment.nowhere() : spec.commandLine().getOut(),
            spec.commandLine().getErr());
    int ended = attachment.follow(RunFollower.of(folder, attachment, LAST_BYTES));
    if (json) {
      spec.commandLine().getOut().println(Json.line(RunStatus.of(entry).json()));
      spec.commandLine().getOut().flush();
    }
    return ended;
  }
}
