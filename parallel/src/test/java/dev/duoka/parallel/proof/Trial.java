package dev.duoka.parallel.proof;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * One model trained for some steps on a mesh of CPU ranks.
 *
 * @param length tokens of a sequence
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a data-parallel rank in a step
 * @param apart whether documents of a sequence do not see each other
 */
record Trial(
    ModelConfig model,
    Mesh mesh,
    PipelineSettings pipeline,
    Recompute recompute,
    int zero,
    int length,
    int microBatch,
    int accumulation,
    int steps,
    Offload offload,
    OffloadUpdate update,
    boolean apart) {
  /** A trial with all states on the device. */
  Trial(
      ModelConfig model,
      Mesh mesh,
      PipelineSettings pipeline,
      Recompute recompute,
      int zero,
      int length,
      int microBatch,
      int accumulation,
      int steps) {
    this(
        model,
        mesh,
        pipeline,
        recompute,
        zero,
        length,
        microBatch,
        accumulation,
        steps,
        Offload.NONE,
        OffloadUpdate.DEVICE,
        false);
  }

  /** The same with states elsewhere. */
  Trial with(Offload other, OffloadUpdate where) {
    return new Trial(
        model,
        mesh,
        pipeline,
        recompute,
        zero,
        length,
        microBatch,
        accumulation,
        steps,
        other,
        where,
        apart);
  }

  /** The same with another ZeRO stage. */
  Trial withZero(int other) {
    return new Trial(
        model,
        mesh,
        pipeline,
        recompute,
        other,
        length,
        microBatch,
        accumulation,
        steps,
        offload,
        update,
        apart);
  }

  /** The same on documents that do not see each other. */
  Trial withDocumentsApart() {
    return new Trial(
        model,
        mesh,
        pipeline,
        recompute,
        zero,
        length,
        microBatch,
        accumulation,
        steps,
        offload,
        update,
        true);
  }

  /** The same work on one rank. */
  Trial onOneRank() {
    return new Trial(
        model,
        new Mesh(1, 1, 1, 1, 1, 1),
        PipelineSettings.DEFAULT,
        Recompute.NONE,
        0,
        length,
        microBatch,
        accumulation * mesh.data(),
        steps,
        Offload.NONE,
        OffloadUpdate.DEVICE,
        apart);
  }

  Training.Outcome run() {
    return runOn(world -> world);
  }

  /**
   * Runs it.
   *
   * @param seen what a rank takes for its world
   */
  Training.Outcome runOn(UnaryOperator<Communicator> seen) {
    return training()
        .run(rank -> onRanks((world, device) -> rank.accept(seen.apply(world), device)));
  }

  /** Runs something on each rank of the mesh. */
  void onRanks(BiConsumer<Communicator, Device> rank) {
    LocalRanks.run(
        mesh.size(),
        world -> {
          ComputeThread.prepare(Device.CPU, 1, world.size());
          rank.accept(world, Device.CPU);
        });
  }

  /** What its ranks do. */
  Training training() {
    return new Training(settings(), mesh, microBatch, accumulation, steps, 0, apart);
  }

  StepSettings settings() {
    return new StepSettings(
            model,
            Precision.FP64,
            recompute,
            length,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            zero,
            LossScaler.Settings.DEFAULT,
            new StepSettings.AuxiliaryLosses(
                model.mtpModules(),
                model.mtpModules() == 0 ? 0 : 0.3,
                model.moe() == null ? 0 : 0.02,
                model.moe() != null && model.moe().sequenceAuxLoss(),
                model.moe() == null ? 0 : 0.01))
        .with(pipeline)
        .with(new StateSettings(StateForm.FULL, offload, update, 0));
  }
}
