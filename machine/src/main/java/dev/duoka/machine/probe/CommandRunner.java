package dev.duoka.machine.probe;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs a command and keeps what it prints; a test puts made-up answers in its place. */
interface CommandRunner {
  /**
   * What came of it.
   *
   * @param exitCode the exit status; 127 when there is no such command, 124 when it took too long
   * @param output standard output and standard error together
   */
  record Result(int exitCode, String output) {
    boolean succeeded() {
      return exitCode == 0;
    }
  }

  /** Runs a command without a shell. */
  Result run(List<String> command, Duration timeout);

  /** The real thing. */
  static CommandRunner ofThisMachine() {
    return CommandRunner::execute;
  }

  private static Result execute(List<String> command, Duration timeout) {
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
    } catch (IOException e) {
      return new Result(127, "cannot start " + command.getFirst() + ": " + e.getMessage());
    }
    CompletableFuture<String> output = CompletableFuture.supplyAsync(() -> drain(process));
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        return new Result(
            124, command.getFirst() + " took longer than " + timeout.toSeconds() + " s");
      }
      return new Result(process.exitValue(), output.join());
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      return new Result(124, "interrupted");
    }
  }

  private static String drain(Process process) {
    try (InputStream in = process.getInputStream()) {
      byte[] bytes = in.readNBytes(64 << 20);
      in.transferTo(java.io.OutputStream.nullOutputStream());
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return ""; // the process was killed; its result says so
    }
  }
}
