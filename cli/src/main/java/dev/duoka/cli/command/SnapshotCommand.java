package dev.duoka.cli.command;

import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code duoka snapshot}: what a run was started with; its subcommands do the work. */
@Command(
    name = "snapshot",
    description = {
      "Look at what each start of a run was made with, compare two, and go back.",
      "Example: duoka snapshot rollback runs/demo --to 200"
    },
    subcommands = {
      SnapshotListCommand.class,
      SnapshotShowCommand.class,
      SnapshotDiffCommand.class,
      SnapshotRollbackCommand.class
    })
final class SnapshotCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "what to do is missing; one of " + String.join(", ", spec.subcommands().keySet()));
  }

  /** The folder of the run that a user means, as it would be written: relative where it may. */
  static Path folder(String run) {
    Path found = new RunRegistry(StateFolder.standard()).find(run).folder();
    Path given = Path.of(run);
    return given.toAbsolutePath().normalize().equals(found) ? given : found;
  }
}
