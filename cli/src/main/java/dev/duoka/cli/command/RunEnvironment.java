package dev.duoka.cli.command;

import dev.duoka.ffi.environment.ProcessEnvironment;
import dev.duoka.train.config.EnvironmentVariables;
import dev.duoka.train.config.RunConfig;
import java.io.PrintWriter;
import java.util.Map;

/** The run file's environment variables, set for this process. */
final class RunEnvironment {
  private RunEnvironment() {}

  /**
   * Sets them, except where the shell says otherwise, which is said. Must come before anything
   * loads a native library, for each reads its variables once.
   */
  static void apply(RunConfig config, PrintWriter err) {
    apply(config, System.getenv(), err);
  }

  static void apply(RunConfig config, Map<String, String> shell, PrintWriter err) {
    EnvironmentVariables.of(config)
        .forEach(
            (name, value) -> {
              String set = shell.get(name);
              if (set == null) {
                ProcessEnvironment.set(name, value);
              } else if (!set.equals(value)) {
                err.printf(
                    "notice   %s=%s of the shell wins; the run file says %s%n", name, set, value);
              }
            });
    err.flush();
  }
}
