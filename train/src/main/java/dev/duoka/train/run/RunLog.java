package dev.duoka.train.run;

import dev.duoka.base.IoReason;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.train.snapshot.RunFileNames;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a process of a run says to its user in {@code run.log} of its folder, or {@code
 * process-1.log} and so on, a line each with its time, and passes everything on. What is said
 * before the folder is the run's own waits until it is.
 *
 * <p>A log that cannot be written costs no run: that is said once, and the run goes on.
 * Thread-safe.
 */
final class RunLog implements RunListener {
  private final String name;
  private final RunListener listener;
  private final List<String> waiting = new ArrayList<>();
  private @Nullable RunFolder folder;
  private boolean failed;

  /**
   * A log.
   *
   * @param process the number of the process
   */
  RunLog(int process, RunListener listener) {
    this.name = process == 0 ? RunFileNames.LOG : "process-" + process + ".log";
    this.listener = listener;
  }

  /** Says where to write, once the folder is begun. */
  synchronized void writeInto(RunFolder runFolder) {
    folder = runFolder;
  }

  @Override
  public void notice(String message) {
    listener.notice(message);
    write(message);
  }

  @Override
  public void follows(String description) {
    listener.follows(description);
    write(description);
  }

  @Override
  public void remedied(List<String> overrides, String message) {
    listener.remedied(overrides, message);
    write(message);
  }

  @Override
  public void tokenising(TokenisationProgress progress) {
    listener.tokenising(progress);
  }

  @Override
  public void reached(String what, long done, long total) {
    listener.reached(what, done, total);
  }

  @Override
  public void started(String description) {
    listener.started(description);
    description.lines().forEach(this::write);
  }

  @Override
  public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
    listener.step(metrics, totalSteps, remainingSeconds); // metrics.jsonl has it
  }

  @Override
  public void validated(long step, ValidationResult result) {
    listener.validated(step, result);
    write("step " + step + ": validation loss " + result.loss());
  }

  @Override
  public void saved(String message) {
    listener.saved(message);
    write(message);
  }

  @Override
  public void sample(String text) {
    listener.sample(text);
  }

  /** Writes down that the run has ended, and how. */
  void ended(RunResult result) {
    write(
        "ended: " + (result.interrupted() ? "stopped after step " + result.steps() : over(result)));
  }

  /** How a session ended that nobody has interrupted. */
  private static String over(RunResult result) {
    if (!result.hasStepsLeft()) {
      return "complete after step " + result.steps();
    }
    String run = result.runDir().resolve(RunFileNames.CONFIG).toString();
    return "stopped by --max-steps after step "
        + result.steps()
        + " of "
        + result.totalSteps()
        + "; "
        + (result.lastCheckpoint().isPresent()
            ? "'./duoka train "
                + run
                + " --resume' goes on after step "
                + result.lastCheckpoint().getAsLong()
            : "no checkpoint was saved to go on from");
  }

  /** Writes down how the run failed. */
  void failed(Throwable failure) {
    write("failed: " + failure.getMessage());
  }

  private synchronized void write(String line) {
    waiting.add(Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + line);
    RunFolder here = folder;
    if (here == null || !here.isBegun() || failed) {
      return;
    }
    Path file = here.path().resolve(name);
    try {
      Files.write(
          file,
          waiting,
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
      waiting.clear();
    } catch (IOException e) {
      failed = true;
      listener.notice("cannot write " + file + ": " + IoReason.of(e));
    }
  }
}
