package dev.duoka.experiment.trial;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is to be tried.
 *
 * @param runFile as it is
 * @param change what is set otherwise, {@code KEY=VALUE} each; empty to compare the run file with
 *     itself
 * @param steps of each arm that are compared
 * @param from the run whose checkpoint both arms start from; empty for the first weights
 * @param fromStep which of its checkpoints; empty for the newest
 * @param itself whether the run file is compared with itself beside, so that it is known what loss
 *     and gradient norm differ by when nothing is changed
 * @param folder where the arms write; made, and kept
 */
public record TrialRequest(
    Path runFile,
    List<String> change,
    int steps,
    Optional<Path> from,
    Optional<Long> fromStep,
    boolean itself,
    Path folder) {
  public TrialRequest {
    change = List.copyOf(change);
  }

  /** The run file as it was when the trial began, which all arms train. */
  public Path copy() {
    return folder.resolve("run.yaml");
  }

  /** Whether nothing is changed. */
  public boolean isOfItself() {
    return change.isEmpty();
  }
}
