package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.run.WorkerFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts a worker in a session of its own, under a shell that writes the worker's number and its
 * exit status into the worker's folder. Neither needs whoever started them.
 */
final class Shim {
  /** The shell takes no part in signals; what it starts takes them as usual. */
  private static final String SCRIPT =
      """
      trap : HUP INT TERM
      folder=$1
      shift
      sh -c 'echo $$ >"$0/pid.new" && mv "$0/pid.new" "$0/pid" && exec "$@"' "$folder" "$@"
      status=$?
      echo "$status" >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"
      """;

  private Shim() {}

  /**
   * Starts a worker.
   *
   * @param environment variables to set; those with an empty value are taken away
   * @return the shell
   */
  static Process start(
      WorkerFolder folder, List<String> command, Path directory, Map<String, String> environment) {
    List<String> words = new ArrayList<>(List.of("setsid", "sh", "-c", SCRIPT, "duoka"));
    words.add(folder.path().toString());
    words.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .directory(directory.toFile())
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.standardOutput().toFile()))
            .redirectError(ProcessBuilder.Redirect.appendTo(folder.standardError().toFile()));
    environment.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    try {
      Files.createDirectories(folder.path());
      return builder.start();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot start a worker: " + IoReason.of(e),
          "setsid (util-linux) and sh must be on PATH; --no-supervise does without",
          e);
    }
  }
}
