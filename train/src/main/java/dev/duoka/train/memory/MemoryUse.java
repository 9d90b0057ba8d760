package dev.duoka.train.memory;

import dev.duoka.train.config.MemoryRemedies;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.config.RunConfig;
import java.util.List;

/** What a rank of a run takes memory for; tells which remedies make it less. */
public enum MemoryUse {
  /** A step: activations, gradients, and what the update needs. */
  STEP,
  /** The model as it is asked between steps, by micro-batches and without a backward pass. */
  EVALUATION,
  /** What is there all the time: weights, gradients, the optimizer's states; and filling them. */
  STATES;

  /**
   * The ways in which a run takes less memory for it, each of which takes less than the one before.
   *
   * @param now how the run takes its steps
   */
  List<MemoryRemedy> remedies(RunConfig config, MemoryRemedy now) {
    return switch (this) {
      case STEP -> MemoryRemedies.of(config, now);
      case EVALUATION -> MemoryRemedies.ofPasses(config, now);
      case STATES -> MemoryRemedies.ofStates(config, now);
    };
  }
}
