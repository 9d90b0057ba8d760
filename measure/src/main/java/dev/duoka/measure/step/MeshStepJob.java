package dev.duoka.measure.step;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.step.ParallelChecks;
import dev.duoka.train.step.RankBuilder;
import java.util.Optional;

/**
 * A training step of the ranks of a mesh to measure.
 *
 * @param step micro-batches of each data-parallel rank; on the first rank's device
 * @param parallel how the ranks share it
 * @param placement where each computes; empty on {@code meta}
 */
public record MeshStepJob(
    StepJob step, ParallelSettings parallel, Optional<DevicePlacement> placement) {
  /**
   * The step on the ranks' devices.
   *
   * @param device as the option says it
   * @throws dev.duoka.base.DuokaException when the model does not admit the mesh, or the machine
   *     has too few GPUs
   */
  public static MeshStepJob of(StepJob step, ParallelSettings parallel, String device) {
    MeshStepJob job = new MeshStepJob(step, parallel, Optional.empty());
    FieldProblem.throwIfAny(
        "--mesh", ParallelChecks.problems(step.model(), parallel, job.layout(), step.length()));
    return step.device().isMeta()
        ? job
        : new MeshStepJob(
            step,
            parallel,
            Optional.of(
                DevicePlacement.choose(SingleDevice.choice(device), Mesh.of(job.layout()))));
  }

  /** The step of a run's ranks, on its devices. */
  public static MeshStepJob of(RunConfig config) {
    MeshStepJob job = new MeshStepJob(StepJob.of(config), config.parallel(), Optional.empty());
    return new MeshStepJob(
        job.step(),
        job.parallel(),
        Optional.of(DevicePlacement.choose(config.device(), Mesh.of(job.layout()))));
  }

  /** All ranks. */
  public Mesh mesh() {
    return Mesh.of(layout());
  }

  /** Tokens in a step, of all ranks. */
  public long tokens() {
    return step.tokens() * parallel.data();
  }

  /** What each rank's step is made from. */
  public StepSettings settings() {
    StepSettings alone = step.settings();
    return alone
        .with(parallel.zero())
        .with(RankBuilder.pipeline(parallel))
        .with(alone.states().inBucketsOf(parallel.blocksPerBucket()));
  }

  /** The step of one rank, for a dry run. */
  public DryRunJob of(int rank) {
    return new DryRunJob(settings(), mesh(), rank, step.microBatch(), step.accumulation());
  }

  /** What one rank reads. */
  public RandomBatches batches(int rank) {
    return step.on(step.device().device(), 0, 1).batches(mesh().dataRank(rank), mesh().data());
  }

  /** How the ranks share the step, in the planner's words. */
  public Layout layout() {
    return new Layout(
        parallel.data(),
        parallel.tensor(),
        parallel.pipeline(),
        parallel.expert(),
        parallel.context(),
        parallel.zero(),
        step.microBatch(),
        step.accumulation(),
        step.recompute(),
        step.offload(),
        LossKind.CHUNKED,
        step.precision(),
        method(),
        step.states(),
        parallel.order(),
        parallel.replicate(),
        step.offloadUpdate(),
        parallel.blocksPerBucket(),
        step.offloadFraction());
  }

  private Method method() {
    AdapterConfig adapter = step.model().adapter();
    if (adapter == null) {
      return Method.FULL;
    }
    return adapter.baseForm().isInFourBits() ? Method.QLORA : Method.LORA;
  }
}
