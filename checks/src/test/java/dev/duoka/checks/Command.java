package dev.duoka.checks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The outcome of a program that was run to its end.
 *
 * @param output its stdout and stderr together
 */
record Command(int exitStatus, String output) {
  /** Runs a program with exactly this environment. */
  static Command run(Path folder, Map<String, String> environment, List<String> words)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Command(process.waitFor(), output);
  }

  /** Runs a program with this process's environment. */
  static Command run(Path folder, String... words) throws IOException, InterruptedException {
    return run(folder, System.getenv(), List.of(words));
  }
}
