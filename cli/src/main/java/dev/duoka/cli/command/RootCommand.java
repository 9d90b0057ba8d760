package dev.duoka.cli.command;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program without a command: {@code --help}, {@code --version}, and the list of commands. */
@Command(
    name = "duoka",
    description = "Trains DeepSeek models on every GPU of one machine.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Version.class,
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    subcommands = {
      TrainCommand.class,
      RunsCommand.class,
      StopCommand.class,
      AttachCommand.class,
      LogsCommand.class,
      WatchCommand.class,
      TopCommand.class,
      SaveCommand.class,
      NoteCommand.class,
      SnapshotCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ExportCommand.class,
      ParityCommand.class,
      SelftestCommand.class,
      BenchCommand.class,
      CalibrateCommand.class,
      ProfileCommand.class,
      TrialCommand.class,
      TrialsCommand.class,
      TuneCommand.class,
      LadderCommand.class,
      EnvCommand.class,
      DoctorCommand.class,
      ContainerCommand.class,
      ConfigCommand.class,
      PreviewCommand.class,
      AdviseCommand.class,
      PlanCommand.class,
      TopoCommand.class,
      NcclCommand.class,
      DiagnoseCommand.class,
      BundleCommand.class
    })
public final class RootCommand implements Runnable {
  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of a failure.")
  private boolean stackTrace;

  @Spec private CommandSpec spec;

  /** Whether failures are shown with their stack trace. */
  public boolean stackTrace() {
    return stackTrace;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "a command is missing; one of " + String.join(", ", spec.subcommands().keySet()));
  }
}
