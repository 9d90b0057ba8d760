package dev.duoka.operations.watch;

import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/** Folders of runs for tests. */
final class RunFolders {
  private RunFolders() {}

  /** A run that nobody supervises. */
  static WatchedRun run(Path folder) {
    return new WatchedRun(
        new RunRegistry.Entry(folder, Instant.EPOCH, 0, Optional.empty()), Optional.empty());
  }

  /**
   * A run, and those that are listed.
   *
   * @param state where they are
   */
  static WatchedRuns runs(Path folder, Path state) {
    return WatchedRuns.of(
        new RunRegistry(new StateFolder(state)),
        new RunRegistry.Entry(folder, Instant.EPOCH, 0, Optional.empty()));
  }

  /** Writes three steps, the second without a loss, and a validation. */
  static void write(Path folder) throws IOException {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        """
        {"step":1,"loss":5.5,"lr":0.1,"grad_norm":2,"seconds":{"total":0.5},"memory":{"live_bytes":1024,"driver_bytes_of":"process"}}
        {"step":2,"loss":null,"lr":0.2,"grad_norm":3,"seconds":{"total":0.25},"exposed_seconds":{"data":0.01}}
        {"step":3,"loss":4.5,"lr":0.3,"grad_norm":4,"grad_range":[{"layer":"model.layers.0","min":-3,"max":2,"rms":0.5},{"layer":"lm_head","min":null,"max":1,"rms":null}]}
        {"step":3,"validation_loss":4.25}
        """);
  }
}
