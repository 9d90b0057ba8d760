package dev.duoka.cli.console;

import dev.duoka.base.ByteSize;
import dev.duoka.base.TimeSpan;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.formats.json.Json;
import dev.duoka.layout.Precision;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.run.MeanLoss;
import dev.duoka.train.run.RunFolder;
import dev.duoka.train.run.RunListener;
import dev.duoka.train.run.RunResult;
import dev.duoka.train.run.ValidationResult;
import dev.duoka.train.step.StepMetrics;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Prints how a run goes: progress to standard error, and the result to standard output, as text or
 * as one line of JSON.
 */
public final class TrainingConsole implements RunListener, AutoCloseable {
  private static final String PREPARING = "preparing the run";

  /** Steps that show whether a change is worth more of them. */
  private static final int TRIED = 50;

  private final PrintWriter out;
  private final PrintWriter progress;
  private final int everySteps;
  private final boolean json;
  private final RunConfig config;
  private final MeanLoss losses = new MeanLoss();

  /** Of what goes on now and may take long; null while steps are taken. */
  private @Nullable ProgressLine line;

  /**
   * A console.
   *
   * @param out receives the result
   * @param progress receives everything else
   * @param json whether the result is one line of JSON
   */
  public TrainingConsole(PrintWriter out, PrintWriter progress, RunConfig config, boolean json) {
    this.out = out;
    this.progress = progress;
    this.everySteps = config.logging().everySteps();
    this.json = json;
    this.config = config;
    this.line = ProgressLine.open(PREPARING, progress);
  }

  @Override
  public void remedied(List<String> overrides, String message) {
    notice(message);
    String file = System.getenv("DUOKA_REMEDY_FILE"); // of the run's supervisor
    if (file != null) {
      WorkerFolder.change(Path.of(file), new WorkerFolder.Change(overrides, message));
    }
  }

  @Override
  public void notice(String message) {
    line("note     " + message);
  }

  @Override
  public void tokenising(TokenisationProgress state) {
    if (!state.done()) {
      reached("tokenising", state.bytes(), state.totalBytes());
    } else {
      reached(PREPARING, 0, 0);
      line(
          String.format(
              Locale.ROOT,
              "tokens   %,d tokens of %,d documents, %.1f s",
              state.tokens(),
              state.documents(),
              state.seconds()));
    }
  }

  @Override
  public void started(String description) {
    description.lines().forEach(this::line);
  }

  @Override
  public void follows(String description) {
    done();
    started(description);
  }

  @Override
  public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
    done();
    losses.add(metrics.loss());
    if (!metrics.applied()) {
      notice(
          String.format(
              Locale.ROOT,
              "step %d skipped: gradients overflowed at loss scale %.0f",
              metrics.step(),
              metrics.lossScale()));
    }
    if (metrics.step() % everySteps == 0 || metrics.step() == 1) {
      line(
          String.format(
              Locale.ROOT,
              "step %6d/%d  loss %.4f  lr %.2e  grad %.3f  %,.0f tok/s  MFU %s  %s  left %s",
              metrics.step(),
              totalSteps,
              losses.take(),
              metrics.learningRate(),
              metrics.gradientNorm(),
              metrics.tokensPerSecond(),
              percent(metrics.mfuPercent()),
              ByteSize.text(metrics.memory().driverBytes()),
              TimeSpan.text(remainingSeconds)));
    }
  }

  @Override
  public void validated(long step, ValidationResult result) {
    done();
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, "step %6d  validation loss %.4f", step, result.loss()));
    result
        .numbers()
        .forEach(
            (name, number) -> text.append(String.format(Locale.ROOT, "  %s %.4f", name, number)));
    line(text.toString());
  }

  @Override
  public void saved(String message) {
    line(message);
  }

  @Override
  public void sample(String text) {
    done();
    progress.print(text);
    progress.flush();
  }

  /** Says that Ctrl-C was heard. */
  public void stopping() {
    line("stopping: what was begun is finished and saved; once more ends at once …");
  }

  /** Says that a second Ctrl-C was heard. */
  public void endingAtOnce() {
    line("ended at once; the last checkpoint that was saved is whole, --resume goes on from it");
  }

  /** Prints the result, and what to try next. */
  public void finished(RunResult result, Path runFile) {
    done();
    if (json) {
      out.println(Json.line(jsonOf(result)));
      out.flush();
      return;
    }
    out.println(summary(result));
    if (Files.isDirectory(RunFolder.checkpoints(result.runDir()))) {
      out.println("  run folder  " + result.runDir());
      out.println("  metrics     " + result.runDir().resolve("metrics.jsonl"));
      out.println("  checkpoints " + RunFolder.checkpoints(result.runDir()));
      out.println(
          result.lastCheckpoint().isPresent()
              ? "  newest one  of step " + result.lastCheckpoint().getAsLong()
              : "  newest one  none was saved");
      result
          .best()
          .ifPresent(
              best ->
                  out.printf(
                      Locale.ROOT,
                      "  best one    of step %d, by %s (%.4f)%s%n",
                      best.step(),
                      best.by(),
                      best.value(),
                      isKept(result, best) ? ": " + folder(result, best) : ", is not kept"));
    }
    out.println();
    if (result.saveFailed()) {
      out.println("The last checkpoint could not be saved, and what was trained after it is lost.");
    }
    if (result.interrupted() || result.saveFailed()) {
      out.println(result.lastCheckpoint().isPresent() ? "Go on with it:" : "Start it again:");
      out.println("  " + again(result, runFile));
    } else if (result.lastCheckpoint().isPresent()) {
      out.println("Try next:");
      if (result.hasStepsLeft()) {
        out.println("  " + again(result, runFile));
      }
      // A run means its newest checkpoint.
      Path model =
          result
              .best()
              .filter(best -> isKept(result, best))
              .filter(best -> best.step() != result.lastCheckpoint().getAsLong())
              .map(best -> folder(result, best))
              .orElse(result.runDir());
      out.println(
          config.data().usesTemplate()
              ? "  ./duoka chat " + model
              : "  ./duoka generate " + model + " --prompt \"" + result.prompt() + "\"");
      out.println("  ./duoka export " + model + " --output model");
      out.println("  ./duoka watch " + result.runDir());
      out.println("  ./duoka save " + result.runDir() + " --html " + name(result) + ".html");
      out.println("  ./duoka top " + result.runDir() + " --once");
      if (isWorthInBf16(runFile)) {
        out.println(
            "  ./duoka train " + runFile + " --set training.precision=bf16 --max-steps " + TRIED);
      }
    }
    out.flush();
  }

  private static String name(RunResult result) {
    return String.valueOf(result.runDir().toAbsolutePath().normalize().getFileName());
  }

  private static Path folder(RunResult result, RunResult.Best best) {
    return RunFolder.checkpoints(result.runDir()).resolve(Checkpoint.name(best.step()));
  }

  private static boolean isKept(RunResult result, RunResult.Best best) {
    return Files.isDirectory(folder(result, best));
  }

  /** Whether the same file can begin another run, and that one would be of other arithmetic. */
  private boolean isWorthInBf16(Path runFile) {
    return config.training().precision() == Precision.FP32
        && config.runDir().isEmpty()
        && !Files.isDirectory(RunFolder.checkpoints(runFile.resolveSibling("")));
  }

  /** The run's own file has every --set in it, so that nothing is lost by resuming with it. */
  private static String again(RunResult result, Path runFile) {
    return result.lastCheckpoint().isPresent()
        ? "./duoka train " + result.runDir().resolve(RunFolder.CONFIG) + " --resume"
        : "./duoka train " + runFile;
  }

  private static String summary(RunResult result) {
    String begin =
        switch (result.end()) {
          case COMPLETE ->
              result.hasStepsLeft()
                  ? "Ended by --max-steps after "
                      + result.steps()
                      + " of "
                      + result.totalSteps()
                      + " steps"
                  : "Done after " + result.steps() + " steps";
          case INTERRUPTED -> "Stopped after " + result.steps() + " steps";
          case NOTHING_TO_DO ->
              "Nothing to do: step " + result.steps() + " of " + result.endStep() + " reached";
        };
    StringBuilder text = new StringBuilder(begin);
    String separator = ": ";
    if (Double.isFinite(result.loss())) {
      text.append(String.format(Locale.ROOT, "%sloss %.4f", separator, result.loss()));
      separator = ", ";
    }
    if (result.validationLoss().isPresent()) {
      double loss = result.validationLoss().getAsDouble();
      text.append(String.format(Locale.ROOT, "%svalidation loss %.4f", separator, loss));
      separator = ", ";
    }
    if (Double.isFinite(result.speed().tokensPerSecond())) {
      text.append(
          String.format(
              Locale.ROOT,
              "%s%,.0f tokens/s (%,.0f with validation and saving), MFU %s, peak memory %s",
              separator,
              result.speed().tokensPerSecond(),
              result.speed().overall(),
              percent(result.speed().mfuPercent()),
              ByteSize.text(result.peakMemoryBytes())));
    }
    return text.toString();
  }

  private static ObjectNode jsonOf(RunResult result) {
    ObjectNode node = Json.object();
    Json.putNumber(node, "loss", result.loss());
    Json.putNumber(node, "validation_loss", result.validationLoss().orElse(Double.NaN));
    node.put("steps", result.steps());
    Json.putNumber(node, "tokens_per_second", result.speed().tokensPerSecond());
    Json.putNumber(node, "tokens_per_second_overall", result.speed().overall());
    Json.putNumber(node, "mfu", result.speed().mfu());
    node.put("peak_memory_bytes", result.peakMemoryBytes());
    node.put("run_dir", result.runDir().toString());
    node.put("interrupted", result.interrupted());
    if (result.lastCheckpoint().isPresent()) {
      node.put("last_checkpoint", result.lastCheckpoint().getAsLong());
    } else {
      node.putNull("last_checkpoint");
    }
    if (result.best().isPresent()) {
      RunResult.Best best = result.best().get();
      ObjectNode told = node.putObject("best");
      told.put("step", best.step());
      told.put("by", best.by());
      Json.putNumber(told, "value", best.value());
      told.put("ends_run", best.endsRun());
    } else {
      node.putNull("best");
    }
    return node;
  }

  private static String percent(double percent) {
    return Double.isNaN(percent) ? "n/a" : String.format(Locale.ROOT, "%.1f %%", percent);
  }

  /** Nothing goes on any more, however it ended. */
  @Override
  public void close() {
    done();
  }

  @Override
  public synchronized void reached(String what, long done, long total) {
    if (line == null) {
      line = ProgressLine.open(what, progress);
    }
    line.reached(what, done, total);
  }

  private synchronized void done() {
    if (line != null) {
      line.close();
      line = null;
    }
  }

  /** Prints a line, above what tells how far something is. */
  public synchronized void line(String text) {
    if (line != null) {
      line.clear();
    }
    progress.println(text);
    progress.flush();
  }
}
