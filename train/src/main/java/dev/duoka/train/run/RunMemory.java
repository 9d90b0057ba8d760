package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.step.RankBuilder;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;

/** Compares what a run needs with what its devices and the host have, before it begins. */
final class RunMemory {
  private RunMemory() {}

  /**
   * Refuses a run that does not fit.
   *
   * @return what a device needs, that of the largest rank where each has its own
   * @throws dev.duoka.base.DuokaException with the figures, and what would fit
   */
  static MemoryNeed require(RunConfig config, ModelConfig model, DevicePlacement placement) {
    StepSettings settings = new RankBuilder(config, model, null).settings();
    BatchPlan batch = BatchPlan.of(config);
    DryRunJob step =
        new DryRunJob(
            settings, Mesh.of(config.layout()), 0, batch.microBatch(), batch.accumulationSteps());
    Map<MemoryOwner, Long> snapshot = snapshot(config, settings);
    boolean onHost = placement.devices().contains(Device.CPU);
    MemoryNeed largest = MemoryNeed.of(Map.of(), 1);
    for (Device device : new HashSet<>(placement.devices())) {
      int ranks = Collections.frequency(placement.devices(), device);
      Map<MemoryOwner, Long> others = onHost ? snapshot : Map.of();
      MemoryNeed need =
          new StepMemory(step, device, ranks, others, config.training().deterministic()).require();
      largest = need.bytes() > largest.bytes() ? need : largest;
    }
    if (!onHost && !snapshot.isEmpty()) {
      MemoryCheck.require(
          "the snapshot of a checkpoint",
          Device.CPU,
          MemoryNeed.of(snapshot, 1),
          _ ->
              "Free host memory or raise its limit, or save nothing:"
                  + " checkpoint: {every_steps: 0, final: false}");
    }
    return largest;
  }

  /** fp32 weights and both moments, in host memory while a checkpoint is written. */
  private static Map<MemoryOwner, Long> snapshot(RunConfig config, StepSettings settings) {
    boolean saves = config.checkpoint().everySteps() > 0 || config.checkpoint().atEnd();
    ParameterCounts counts = ParameterCounts.of(settings.model());
    long parameters =
        settings.auxiliary().predictionDepth() > 0 ? counts.totalWithMtp() : counts.total();
    return saves
        ? Map.of(MemoryOwner.SNAPSHOT, parameters * HostMemoryNeed.BYTES_PER_PARAMETER)
        : Map.of();
  }
}
