package dev.duoka.train.config;

import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import java.util.ArrayList;
import java.util.List;

/**
 * One way in which a run takes its steps in less memory; the tokens of a step stay the same.
 *
 * @param microBatch sequences of a micro-batch; what it has lost, accumulation has gained
 * @param recompute which activations are computed again
 * @param offload what is kept in host memory
 * @param update where that is updated
 */
public record MemoryRemedy(
    int microBatch, Recompute recompute, Offload offload, OffloadUpdate update) {
  /** How the run takes its steps as its file says. */
  public static MemoryRemedy now(RunConfig config) {
    return new MemoryRemedy(
        BatchPlan.of(config).microBatch(),
        config.training().recompute(),
        config.memory().offload(),
        config.memory().offloadUpdate());
  }

  /** The same states with other micro-batches and recompute. */
  MemoryRemedy with(int otherMicroBatch, Recompute otherRecompute) {
    return new MemoryRemedy(otherMicroBatch, otherRecompute, offload, update);
  }

  /** Whether states are kept where the run's file says, and updated there. */
  public boolean keepsStates(RunConfig config) {
    return offload == config.memory().offload() && update == config.memory().offloadUpdate();
  }

  /** What to override in the run's file: the micro-batch, and whatever else differs. */
  public List<String> overrides(RunConfig config) {
    List<String> overrides = new ArrayList<>(List.of("training.micro_batch=" + microBatch));
    if (recompute != config.training().recompute()) {
      overrides.add("training.recompute=" + recompute);
    }
    if (offload != config.memory().offload()) {
      overrides.add("memory.offload=" + offload);
    }
    if (!keepsStates(config)) {
      overrides.add("memory.offload_update=" + update);
    }
    return List.copyOf(overrides);
  }
}
