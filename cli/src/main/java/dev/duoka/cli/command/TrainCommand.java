package dev.duoka.cli.command;

import dev.duoka.cli.console.StopSignals;
import dev.duoka.cli.console.TrainingConsole;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunEnvironment;
import dev.duoka.train.run.RunFolder;
import dev.duoka.train.run.RunOptions;
import dev.duoka.train.run.RunResult;
import dev.duoka.train.run.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
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
      "Exit status 1 when the run failed or its last checkpoint could not be saved, 130 after"
          + " Ctrl-C, 143 after SIGTERM."
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
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set training.steps=10. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--json",
      description = "Print the result as one JSON object, the last line of standard output.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (maxSteps != null && maxSteps < 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--max-steps is " + maxSteps + ", but steps count from 0");
    }
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problems);
    RunEnvironment.apply(config, new Notices(spec.commandLine().getErr()));
    Path folder = runDir(config);
    TrainingConsole console =
        new TrainingConsole(spec.commandLine().getOut(), spec.commandLine().getErr(), config, json);
    OptionalLong limit = maxSteps == null ? OptionalLong.empty() : OptionalLong.of(maxSteps);
    Trainer trainer =
        new Trainer(config, new RunOptions(limit, Optional.of(folder), resume), folder, console);
    try (StopSignals signals =
        StopSignals.listen(
            () -> {
              console.stopping();
              trainer.stop();
            },
            status -> endAtOnce(console, status))) {
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

  private static int status(RunResult result, StopSignals signals) {
    if (result.saveFailed()) {
      return 1;
    }
    return result.interrupted() ? signals.exitStatus() : 0;
  }

  private static void endAtOnce(TrainingConsole console, int status) {
    console.endingAtOnce();
    Runtime.getRuntime().halt(status);
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
    String name = String.valueOf(runFile.getFileName()).replaceFirst("\\.ya?ml$", "");
    if (resume) {
      return LatestRun.of(name);
    }
    String time =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
    return Path.of("runs", name + "-" + time);
  }
}
