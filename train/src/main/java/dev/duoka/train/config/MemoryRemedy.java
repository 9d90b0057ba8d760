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
 * @param zero ZeRO stage: what data-parallel ranks share out
 * @param offload what is kept in host memory
 * @param update where that is updated
 * @param fraction of the weights whose states are kept there
 */
public record MemoryRemedy(
    int microBatch,
    Recompute recompute,
    int zero,
    Offload offload,
    OffloadUpdate update,
    double fraction) {
  /** How the run takes its steps as its file says. */
  public static MemoryRemedy now(RunConfig config) {
    return new MemoryRemedy(
        BatchPlan.of(config).microBatch(),
        config.training().recompute(),
        config.parallel().zero(),
        config.memory().offload(),
        config.memory().offloadUpdate(),
        config.memory().offloadFraction());
  }

  /** The same states with other micro-batches and recompute. */
  MemoryRemedy with(int otherMicroBatch, Recompute otherRecompute) {
    return new MemoryRemedy(otherMicroBatch, otherRecompute, zero, offload, update, fraction);
  }

  /** The same steps with states that more ranks share. */
  MemoryRemedy with(int otherZero) {
    return new MemoryRemedy(microBatch, recompute, otherZero, offload, update, fraction);
  }

  /** The same steps with states elsewhere, all of them. */
  MemoryRemedy with(Offload otherOffload, OffloadUpdate otherUpdate) {
    return new MemoryRemedy(microBatch, recompute, zero, otherOffload, otherUpdate, 1);
  }

  /** Whether states are kept where the run's file says, and updated there. */
  public boolean keepsStates(RunConfig config) {
    return zero == config.parallel().zero() && staysThere(config);
  }

  private boolean staysThere(RunConfig config) {
    return offload == config.memory().offload()
        && update == config.memory().offloadUpdate()
        && fraction == config.memory().offloadFraction();
  }

  /** What to override in the run's file: the micro-batch, and whatever else differs. */
  public List<String> overrides(RunConfig config) {
    List<String> overrides = new ArrayList<>(List.of("training.micro_batch=" + microBatch));
    if (recompute != config.training().recompute()) {
      overrides.add("training.recompute=" + recompute);
    }
    if (zero != config.parallel().zero()) {
      overrides.add("parallel.zero=" + zero);
    }
    if (offload != config.memory().offload()) {
      overrides.add("memory.offload=" + offload);
    }
    if (offload != config.memory().offload() || update != config.memory().offloadUpdate()) {
      overrides.add("memory.offload_update=" + update);
    }
    if (fraction != config.memory().offloadFraction()) {
      overrides.add("memory.offload_fraction=" + fraction);
    }
    return List.copyOf(overrides);
  }
}
