package dev.duoka.train.run;

import dev.duoka.tensor.LibraryEnvironment;
import dev.duoka.train.config.EnvironmentVariables;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.CardMemory;
import java.util.Map;
import java.util.function.Consumer;

/** What native libraries read of a run while they are loaded, set for this process. */
public final class RunEnvironment {
  private RunEnvironment() {}

  /**
   * Sets them, except where the shell says otherwise, which is said. Must come before anything
   * loads a native library, for each reads its variables once.
   *
   * @param notice hears of a variable that the shell sets otherwise
   */
  public static void apply(RunConfig config, Consumer<String> notice) {
    apply(config, System.getenv(), notice);
  }

  static void apply(RunConfig config, Map<String, String> shell, Consumer<String> notice) {
    EnvironmentVariables.of(config)
        .forEach(
            (name, value) -> {
              String set = shell.get(name);
              if (set == null) {
                LibraryEnvironment.set(name, value);
              } else if (!set.equals(value)) {
                notice.accept(
                    "%s=%s of the shell wins; the run file says %s".formatted(name, set, value));
              }
            });
    CardMemory.chooseFor(ModelSource.config(config));
  }
}
