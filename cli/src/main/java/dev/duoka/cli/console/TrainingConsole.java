package dev.duoka.cli.console;

import dev.duoka.base.ByteSize;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.loop.RunFolder;
import dev.duoka.train.loop.RunListener;
import dev.duoka.train.loop.RunResult;
import dev.duoka.train.loop.StepMetrics;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/**
 * Prints how a run goes: progress to standard error, and the result to standard output, as text or
 * as one line of JSON.
 */
public final class TrainingConsole implements RunListener {
  private final PrintWriter out;
  private final PrintWriter progress;
  private final int everySteps;
  private final boolean json;
  private double lossSum;
  private int lossCount;

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
  }

  @Override
  public void notice(String message) {
    line("note     " + message);
  }

  @Override
  public void tokenising(TokenisationProgress state) {
    if (state.done()) {
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
  public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
    lossSum += metrics.loss();
    lossCount++;
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
              lossSum / lossCount,
              metrics.learningRate(),
              metrics.gradientNorm(),
              metrics.tokensPerSecond(),
              percent(metrics.mfu()),
              ByteSize.text(metrics.memory().driverBytes()),
              duration(remainingSeconds)));
      lossSum = 0;
      lossCount = 0;
    }
  }

  @Override
  public void validated(long step, double loss) {
    line(String.format(Locale.ROOT, "step %6d  validation loss %.4f", step, loss));
  }

  @Override
  public void saved(String message) {
    line(message);
  }

  @Override
  public void sample(String text) {
    progress.print(text);
    progress.flush();
  }

  /** Says that Ctrl-C was heard. */
  public void stopping() {
    line("stopping after this step; saving …");
  }

  /** Prints the result, and what to try next. */
  public void finished(RunResult result, Path runFile) {
    if (json) {
      out.println(Json.line(jsonOf(result)));
      out.flush();
      return;
    }
    String loss =
        String.format(
            Locale.ROOT,
            "%s after %d steps: loss %.4f%s, %,.0f tokens/s, MFU %s, peak memory %s",
            result.interrupted() ? "Stopped" : "Done",
            result.steps(),
            result.loss(),
            result.validationLoss().isPresent()
                ? String.format(
                    Locale.ROOT, ", validation loss %.4f", result.validationLoss().getAsDouble())
                : "",
            result.tokensPerSecond(),
            percent(result.mfu()),
            ByteSize.text(result.peakMemoryBytes()));
    out.println(loss);
    out.println("  run folder  " + result.runDir());
    out.println("  metrics     " + result.runDir().resolve("metrics.jsonl"));
    out.println("  checkpoints " + RunFolder.checkpoints(result.runDir()));
    out.println();
    if (result.interrupted()) {
      out.println("Go on with it:");
      out.println("  ./duoka train " + runFile + " --run-dir " + result.runDir() + " --resume");
    } else {
      out.println("Try next:");
      out.println("  ./duoka generate " + result.runDir() + " --prompt \"public static \"");
      out.println("  ./duoka export " + result.runDir() + " --output model");
      out.println(
          "  ./duoka train " + runFile + " --set training.precision=bf16 --set training.steps=50");
    }
    out.flush();
  }

  private static ObjectNode jsonOf(RunResult result) {
    ObjectNode node = Json.object();
    put(node, "loss", result.loss());
    put(node, "validation_loss", result.validationLoss().orElse(Double.NaN));
    node.put("steps", result.steps());
    put(node, "tokens_per_second", result.tokensPerSecond());
    put(node, "mfu", result.mfu());
    node.put("peak_memory_bytes", result.peakMemoryBytes());
    node.put("run_dir", result.runDir().toString());
    node.put("interrupted", result.interrupted());
    return node;
  }

  private static void put(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "n/a" : String.format(Locale.ROOT, "%.1f %%", share * 100);
  }

  private static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole >= 3600
        ? String.format(Locale.ROOT, "%d:%02d h", whole / 3600, whole % 3600 / 60)
        : String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
  }

  private void line(String text) {
    progress.println(text);
    progress.flush();
  }
}
