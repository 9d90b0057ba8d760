package dev.duoka.cli.command;

import dev.duoka.cli.console.TrainingConsole;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.loop.RunFolder;
import dev.duoka.train.loop.RunOptions;
import dev.duoka.train.loop.RunResult;
import dev.duoka.train.loop.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
      "Ctrl-C saves after the current step and says how to resume."
    })
final class TrainCommand implements Callable<Integer> {
  /** The exit status of a process that SIGINT ended, as shells report it. */
  private static final int INTERRUPTED = 130;

  /** How long Ctrl-C waits for the current step and its checkpoint. */
  private static final long SAVE_MINUTES = 10;

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
    RunConfig config = RunFile.read(runFile, overrides);
    Path folder = runDir(config);
    TrainingConsole console =
        new TrainingConsole(spec.commandLine().getOut(), spec.commandLine().getErr(), config, json);
    OptionalLong limit = maxSteps == null ? OptionalLong.empty() : OptionalLong.of(maxSteps);
    Trainer trainer =
        new Trainer(config, new RunOptions(limit, Optional.of(folder), resume), folder, console);
    CountDownLatch ended = new CountDownLatch(1);
    Thread onInterrupt = new Thread(() -> saveBeforeExit(trainer, console, ended), "on-interrupt");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    RunResult result;
    try {
      result = trainer.run();
      // The sample comes from the last checkpoint, so without one there is none.
      boolean saved = config.checkpoint().atEnd() && !result.interrupted();
      if (config.generateSample().isPresent() && saved) {
        TrainingSample.print(config.generateSample().get(), result.runDir(), console);
      }
      console.finished(result, runFile);
    } finally {
      ended.countDown();
      removeHook(onInterrupt);
    }
    return result.interrupted() ? INTERRUPTED : 0;
  }

  private Path runDir(RunConfig config) {
    if (runDir != null) {
      return runDir;
    }
    if (config.runDir().isPresent()) {
      return config.runDir().get();
    }
    String name = String.valueOf(runFile.getFileName()).replaceFirst("\\.ya?ml$", "");
    if (resume) {
      // Resuming a run by its own run.yaml means the folder that file lies in.
      Path parent = runFile.toAbsolutePath().getParent();
      if (parent != null && Files.isDirectory(RunFolder.checkpoints(parent))) {
        return parent;
      }
      return LatestRun.of(name);
    }
    String time =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
    return Path.of("runs", name + "-" + time);
  }

  private static void saveBeforeExit(
      Trainer trainer, TrainingConsole console, CountDownLatch ended) {
    if (ended.getCount() == 0) {
      return;
    }
    console.stopping();
    trainer.stop();
    try {
      if (!ended.await(SAVE_MINUTES, TimeUnit.MINUTES)) {
        console.notice("the current step did not end in time; the last checkpoint stays valid");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is already going down, which is what the hook is for.
      hook.isAlive();
    }
  }
}
