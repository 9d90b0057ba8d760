package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.cli.console.StopSignals;
import dev.duoka.cli.console.TrainingConsole;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.FewerRanks;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunEnvironment;
import dev.duoka.train.run.RunFolder;
import dev.duoka.train.run.RunOptions;
import dev.duoka.train.run.RunResult;
import dev.duoka.train.run.Trainer;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka train}: runs a training job. */
@Command(
    name = "train",
    description = {
      "Train a model as a run file says.",
      "Ctrl-C saves after the current step and says how to resume; a second one ends at once.",
      "Exit status 1 when the run failed or its last checkpoint could not be saved, 2 when it was"
          + " never right, 75 when it was ended by SIGTERM and is saved, 93 when starting it again"
          + " does not help, 130 after Ctrl-C.",
      "Example: duoka train run.yaml --supervise --max-restarts 5"
    })
final class TrainCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--max-steps",
      paramLabel = "N",
      description = "Stop after N steps in total, saved; the schedule keeps its full length.")
  private @Nullable Long maxSteps;

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      description = "Write the run here instead of runs/<name>-<time>.")
  private @Nullable Path runDir;

  @Option(
      names = "--resume",
      description = "Go on from the newest valid checkpoint of the run folder.")
  private boolean resume;

  @Option(
      names = "--continue",
      description =
          "Go on from the newest checkpoint of --run-dir where there is one, else begin: for jobs"
              + " that are started again and again.")
  private boolean continues;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set training.steps=10. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--json",
      description = "Print the result as one JSON object, the last line of standard output.")
  private boolean json;

  @Mixin private TrainingPage page = new TrainingPage();

  @Mixin private SupervisionOptions supervision = new SupervisionOptions();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    if (maxSteps != null && maxSteps < 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--max-steps is " + maxSteps + ", but steps count from 0");
    }
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problems);
    if (continues && runDir == null && config.runDir().isEmpty()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--continue goes on with a known folder: name it with --run-dir");
    }
    Path folder = runDir(config);
    resume |= continues && RunProgress.newestCheckpoint(folder).isPresent();
    SupervisedTraining supervised =
        new SupervisedTraining(
            config, () -> FewerRanks.of(runFile, overrides, config), supervision, System.getenv());
    if (supervised.isWanted()) {
      PrintWriter lines = json ? spec.commandLine().getErr() : spec.commandLine().getOut();
      page.show(folder, json, lines::println);
      return supervised.run(
          folder, workerArguments(), spec.commandLine().getOut(), spec.commandLine().getErr());
    }
    return train(config, folder);
  }

  /** What of the command line a worker of a supervised run is given. */
  private List<String> workerArguments() {
    List<String> arguments = new ArrayList<>(List.of(runFile.toString()));
    overrides.forEach(override -> arguments.addAll(List.of("--set", override)));
    if (maxSteps != null) {
      arguments.addAll(List.of("--max-steps", maxSteps.toString()));
    }
    if (resume) {
      arguments.add("--resume");
    }
    if (json) {
      arguments.add("--json");
    }
    return arguments;
  }

  private int train(RunConfig config, Path folder) {
    RunEnvironment.apply(config, new Notices(spec.commandLine().getErr()));
    TrainingConsole console =
        new TrainingConsole(spec.commandLine().getOut(), spec.commandLine().getErr(), config, json);
    OptionalLong limit = maxSteps == null ? OptionalLong.empty() : OptionalLong.of(maxSteps);
    Trainer trainer =
        new Trainer(
            config,
            new RunOptions(limit, Optional.of(folder), resume),
            folder,
            console,
            new RunForecast(spec.commandLine().getErr()));
    if (trainer.isFirst() && !isSupervised()) {
      register(folder, console);
      page.show(folder, json, console::line);
    }
    try (console;
        StopSignals signals =
            StopSignals.listen(
                () -> {
                  console.stopping();
                  trainer.stop();
                },
                status -> {
                  if (!isSupervised()) { // Slurm tells each process what its supervisor tells, too
                    endAtOnce(console, status);
                  }
                })) {
      RunResult result = trainer.run();
      if (!trainer.isFirst()) { // process 0 says how the run ended
        return status(result, signals);
      }
      // The sample comes from the last checkpoint, which must be of the last step.
      boolean complete = result.end() == RunResult.End.COMPLETE && signals.exitStatus() == 0;
      boolean saved = result.lastCheckpoint().orElse(-1) == result.steps();
      if (config.generateSample().isPresent() && complete && saved) {
        TrainingSample.print(
            config,
            config.generateSample().get(),
            result.runDir(),
            console,
            () -> signals.exitStatus() != 0);
      }
      console.finished(result, runFile);
      return status(result, signals);
    }
  }

  private static boolean isSupervised() {
    return System.getenv(SupervisionOptions.FAILURE_FILE) != null;
  }

  /** A list that cannot be written costs no run. */
  private static void register(Path folder, TrainingConsole console) {
    try {
      new RunRegistry(StateFolder.standard()).add(folder, 0, Optional.of(ProcessIdentity.own()));
    } catch (DuokaException e) {
      console.notice("the run is not listed: " + e.getMessage());
    }
  }

  private static int status(RunResult result, StopSignals signals) {
    if (result.saveFailed()) {
      return 1;
    }
    return result.interrupted() ? ExitStatus.afterSignal(signals.exitStatus(), true) : 0;
  }

  private static void endAtOnce(TrainingConsole console, int status) {
    console.endingAtOnce();
    Runtime.getRuntime().halt(ExitStatus.afterSignal(status, false));
  }

  private Path runDir(RunConfig config) {
    if (runDir != null) {
      return runDir;
    }
    Path parent = runFile.toAbsolutePath().getParent();
    boolean ofARun = String.valueOf(runFile.getFileName()).equals(RunFolder.CONFIG);
    if (resume && ofARun && parent != null && Files.isDirectory(RunFolder.checkpoints(parent))) {
      // Resuming a run by its own run.yaml means the folder that file lies in, whatever it says:
      // the folder may have been named by --run-dir, or moved.
      return Objects.requireNonNullElse(runFile.getParent(), Path.of("."));
    }
    if (config.runDir().isPresent()) {
      return config.runDir().get();
    }
    return resume ? LatestRun.of(RunFolderName.name(runFile)) : RunFolderName.of(runFile);
  }
}
