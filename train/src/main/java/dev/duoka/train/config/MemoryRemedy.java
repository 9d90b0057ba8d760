package dev.duoka.train.config;

import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import java.util.ArrayList;
import java.util.List;

/**
 * One way in which a run takes its steps in less memory; the tokens of a step stay the same.
 *
 * @param microBatch sequences of a micro-batch; what it has lost, accumulation has gained
 * @param recompute which activations are computed again
 * @param offload what is kept in host memory
 */
public record MemoryRemedy(int microBatch, Recompute recompute, Offload offload) {
  /** How the run takes its steps as its file says. */
  public static MemoryRemedy now(RunConfig config) {
    return new MemoryRemedy(
        BatchPlan.of(config).microBatch(),
        config.training().recompute(),
        config.memory().offload());
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
    return List.copyOf(overrides);
  }
}
