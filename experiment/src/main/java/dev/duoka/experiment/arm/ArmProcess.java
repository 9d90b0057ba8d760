package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The process in which an arm trains. It ends with this object, and with this JVM. */
public final class ArmProcess implements AutoCloseable {
  private static final int SHOWN = 600;

  private final WorkerFolder folder;
  private final Process process;
  private final Thread hook;

  private ArmProcess(WorkerFolder folder, Process process) {
    this.folder = folder;
    this.process = process;
    this.hook = Thread.ofPlatform().unstarted(process::destroyForcibly);
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) { // this program is ending, and the arm with it
      process.destroyForcibly();
      throw e;
    }
  }

  /**
   * Starts it.
   *
   * @param folder of its output, which is appended to
   * @param environment beyond this process's
   */
  public static ArmProcess start(
      Path folder, List<String> command, Map<String, String> environment) {
    try {
      WorkerFolder worker = new WorkerFolder(Files.createDirectories(folder), 0);
      Files.deleteIfExists(worker.failureFile());
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(ProcessBuilder.Redirect.appendTo(worker.standardOutput().toFile()))
              .redirectError(ProcessBuilder.Redirect.appendTo(worker.standardError().toFile()));
      builder.environment().putAll(environment);
      builder.environment().put("DUOKA_FAILURE_FILE", worker.failureFile().toString());
      return new ArmProcess(worker, builder.start());
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot start an arm of the trial in " + folder + ": " + IoReason.of(e),
          "Check the folder, or give another with --out",
          e);
    }
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end. */
  public void await() throws InterruptedException {
    process.waitFor();
  }

  /** Waits for its end, but no longer than so many seconds; whether it has ended. */
  public boolean await(double seconds) throws InterruptedException {
    return process.waitFor((long) (seconds * 1e3), TimeUnit.MILLISECONDS);
  }

  public boolean hasSucceeded() {
    return !process.isAlive() && process.exitValue() == 0;
  }

  /** Why it has ended, which was no success. */
  public WorkerFolder.Failure failure() {
    if (process.exitValue() == 0) {
      return new WorkerFolder.Failure(
          ErrorCode.CONFIG, "its run is over before the steps that are compared");
    }
    return folder
        .failure()
        .orElseGet(
            () ->
                new WorkerFolder.Failure(
                    ErrorCode.IO,
                    "it ended with exit status " + process.exitValue() + ": " + printed()));
  }

  private String printed() {
    try {
      String text = Files.readString(folder.standardError()).strip();
      return text.substring(Math.max(0, text.length() - SHOWN));
    } catch (IOException e) {
      return "see " + folder.standardError();
    }
  }

  /** Ends it at once where it has not ended. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending.
    }
  }
}
