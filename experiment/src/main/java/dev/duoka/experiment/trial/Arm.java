package dev.duoka.experiment.trial;

import java.nio.file.Path;
import java.util.List;

/**
 * One side of a trial.
 *
 * @param name for people and folders
 * @param overrides of the run file, {@code KEY=VALUE} each
 * @param ranks how many train
 * @param run the run's folder
 */
record Arm(String name, List<String> overrides, int ranks, Path run) {
  Arm {
    overrides = List.copyOf(overrides);
  }

  Path metrics() {
    return run.resolve("metrics.jsonl");
  }

  /** Beside the run's folder: what its process prints. */
  Path output() {
    return run.resolveSibling(name + "-output");
  }

  Arm in(Path folder) {
    return new Arm(name, overrides, ranks, folder.resolve(name));
  }
}
