package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.dryrun.Evaluated;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Device;
import dev.duoka.train.checkpoint.CheckpointWriter;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.TaskSettings;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.memory.TooLittleMemoryException;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Compares what a run needs with what its devices and the host have, before it begins. */
final class RunMemory {
  private RunMemory() {}

  /**
   * What a run was found to need.
   *
   * @param device what a device needs, that of the largest rank where each has its own
   * @param stages what one rank of each stage takes
   * @param copy what a process takes beside that in host memory to save
   */
  record Counted(MemoryNeed device, List<MemoryNeed> stages, Optional<StepMemory.Beside> copy) {}

  /**
   * Refuses a run that does not fit.
   *
   * @param placement of this process's ranks
   * @param processes how many write checkpoints together
   * @return what it needs
   * @throws dev.duoka.base.DuokaException with the figures, and what would fit
   */
  static Counted require(
      RunConfig config, ModelConfig model, DevicePlacement placement, int processes) {
    StepSettings settings = new RankBuilder(config, model, null).settings();
    BatchPlan batch = BatchPlan.of(config);
    DryRunJob step =
        new DryRunJob(
            settings, Mesh.of(config.layout()), 0, batch.microBatch(), batch.accumulationSteps());
    Optional<StepMemory.Beside> copy = checkpointCopy(config, settings, processes);
    boolean onHost = placement.devices().contains(Device.CPU);
    MemoryNeed largest = MemoryNeed.of(Map.of(), 1);
    // All devices of a run are of one kind, which books the same.
    List<MemoryNeed> stages = ofRank(step, placement, config).ofStages();
    LessMemory less = LessMemory.of(config);
    for (Device device : new HashSet<>(placement.devices())) {
      int ranks = Collections.frequency(placement.devices(), device);
      List<StepMemory.Beside> others = onHost ? copy.stream().toList() : List.of();
      MemoryNeed need =
          require(
              new StepMemory(
                  step,
                  device,
                  ranks,
                  others,
                  config.training().deterministic(),
                  evaluated(config)),
              stages,
              less);
      largest = need.bytes() > largest.bytes() ? need : largest;
    }
    if (!onHost) {
      requireHost(step, placement, copy);
    }
    return new Counted(largest, stages, copy);
  }

  private static MemoryNeed require(StepMemory step, List<MemoryNeed> stages, LessMemory less) {
    List<String> overrides = new ArrayList<>();
    try {
      return step.require(
          stages,
          bytes ->
              less.choose(0, way -> step.with(way).need().bytes(), bytes)
                  .ifPresent(way -> overrides.addAll(less.overrides(way))));
    } catch (DuokaException e) {
      throw e.code() == ErrorCode.OUT_OF_MEMORY
          ? new TooLittleMemoryException(e, overrides, true)
          : e;
    }
  }

  private static StepMemory ofRank(DryRunJob step, DevicePlacement placement, RunConfig config) {
    return new StepMemory(
        step,
        placement.devices().getFirst(),
        1,
        List.of(),
        config.training().deterministic(),
        evaluated(config));
  }

  /** What a run takes from its model between steps. */
  static Set<Evaluated> evaluated(RunConfig config) {
    ValidationSettings validation = config.validation();
    Set<Evaluated> evaluated = EnumSet.noneOf(Evaluated.class);
    if (config.preference().isPresent()) {
      evaluated.add(Evaluated.LOG_PROBABILITIES);
    }
    if (validation.everySteps() > 0 && config.data().holdsOut()) {
      evaluated.add(Evaluated.LOSS);
      for (TaskSettings task : validation.tasks()) {
        evaluated.add(
            switch (task.kind()) {
              case CHOICE, PERPLEXITY -> Evaluated.LOG_PROBABILITIES;
              case EXACT -> Evaluated.MOST_LIKELY;
            });
      }
      if (validation.answers() > 0) {
        evaluated.add(Evaluated.MOST_LIKELY);
      }
    }
    return evaluated;
  }

  /** Refuses states in host memory, and the copy for checkpoints, that do not fit there. */
  private static void requireHost(
      DryRunJob step, DevicePlacement placement, Optional<StepMemory.Beside> copy) {
    MemoryNeed need = MemoryNeed.of(Map.of(), 1);
    boolean offloads = step.settings().states().inHostMemory();
    if (offloads) {
      need =
          StepMemory.inHostMemory(step, placement.devices().getFirst(), placement.devices().size());
    }
    if (copy.isPresent()) {
      need = need.plus(copy.get().owner(), copy.get().bytes());
    }
    String remedy = copy.map(StepMemory.Beside::remedy).orElse("");
    if (offloads || copy.isPresent()) {
      MemoryCheck.require(
          offloads ? "keeping the optimizer's states in host memory" : "writing a checkpoint",
          Device.CPU,
          need,
          _ ->
              "Free host memory or raise its limit"
                  + (offloads ? ", or keep them smaller: memory: {moments: bf16}. " : ". ")
                  + remedy);
    }
  }

  /** fp32 weights and both moments of a process's share, in host memory while it is written. */
  static Optional<StepMemory.Beside> checkpointCopy(
      RunConfig config, StepSettings settings, int processes) {
    boolean saves = config.checkpoint().everySteps() > 0 || config.checkpoint().atEnd();
    long parameters =
        CheckpointWriter.elementsOfCopy(
            settings.model(), settings.auxiliary().predictionDepth(), processes);
    long frozen =
        CheckpointWriter.frozenElementsOfCopy(
                settings.model(), settings.auxiliary().predictionDepth(), processes)
            * new PrecisionPolicy(settings.precision()).computeDtype().bytes();
    return saves
        ? Optional.of(
            new StepMemory.Beside(
                "copy for checkpoints",
                parameters * HostMemoryNeed.BYTES_PER_PARAMETER + frozen,
                "The copy for checkpoints holds weights and optimizer state ("
                    + HostMemoryNeed.BYTES_PER_PARAMETER
                    + " bytes a parameter) while they are written and training goes on; a run that"
                    + " saves nothing does without it: checkpoint: {every_steps: 0, final:"
                    + " false}."))
        : Optional.empty();
  }
}
