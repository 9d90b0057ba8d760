package dev.duoka.measure.step;

import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelFlops;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.plan.TrainedWeights;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.SingleDevice;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * A training step of one rank to measure.
 *
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes in a step
 * @param length tokens in a sequence
 * @param states in which form gradients and the optimizer's states are kept
 * @param offload what of them lives in host memory
 * @param offloadUpdate where states in host memory are updated
 * @param offloadFraction of the weights, whose states live there
 * @param deterministic whether it gives the same bits each time
 * @param tokenKinds how many different tokens there are, at most the vocabulary; the fewer, the
 *     more unevenly experts are used
 */
public record StepJob(
    ModelConfig model,
    Precision precision,
    Recompute recompute,
    SingleDevice device,
    int microBatch,
    int accumulation,
    int length,
    int cpuThreads,
    StateForm states,
    Offload offload,
    OffloadUpdate offloadUpdate,
    double offloadFraction,
    boolean deterministic,
    int tokenKinds) {
  /** For rounding by chance. */
  private static final long SEED = 1;

  /** The step of a run's first rank, as if it were alone. */
  public static StepJob of(RunConfig config) {
    BatchPlan batch = BatchPlan.of(config);
    ModelConfig model = ModelSource.config(config);
    return new StepJob(
        model,
        config.training().precision(),
        config.training().recompute(),
        SingleDevice.of(config.device()),
        batch.microBatch(),
        batch.accumulationSteps(),
        config.data().sequenceLength(),
        config.threadsPerRank(Runtime.getRuntime().availableProcessors()),
        config.memory().states(),
        config.memory().offload(),
        config.memory().offloadUpdate(),
        config.memory().offloadFraction(),
        config.training().deterministic(),
        model.vocabSize());
  }

  /** The rates of the step's device, in the dtype that it computes in. */
  public DeviceRates calibrate() {
    return DeviceRates.calibrate(device.device(), new PrecisionPolicy(precision).computeDtype());
  }

  /** Adds what the step is to a report. */
  public void describe(ObjectNode report) {
    report.put("parameters", ParameterCounts.of(model).total());
    report.put("precision", precision.toString());
    report.put("recompute", recompute.toString());
    report.put("batch", microBatch);
    report.put("accumulation", accumulation);
    report.put("seq", length);
    if (!states.equals(StateForm.FULL)) {
      report.put("states", states.toString());
    }
    if (offload != Offload.NONE) {
      report.put("offload", offload.toString());
      report.put("offload_update", offloadUpdate.toString());
      report.put("offload_fraction", offloadFraction);
    }
    report.put("deterministic", deterministic);
    if (tokenKinds != model.vocabSize()) {
      report.put("token_kinds", tokenKinds);
    }
  }

  /** Tokens in a step. */
  public long tokens() {
    return (long) microBatch * accumulation * length;
  }

  /** FLOPs that the model needs of a token, without gradients of frozen weights. */
  public double flopsPerToken() {
    double trained = model.adapter() == null ? 1 : TrainedWeights.of(model).share();
    return ModelFlops.perTokenOfPart(model, length, trained);
  }

  /** The step of a rank that is alone, in the planner's words. */
  public Layout layout() {
    return ofOneRank().layout();
  }

  /** The step of a mesh of one rank. */
  MeshStepJob ofOneRank() {
    return new MeshStepJob(this, MeshOption.parse("data=1"), Optional.empty());
  }

  /** What the step is made from, of a rank that is alone. */
  StepSettings settings() {
    return on(device.device(), 0, 1).settings();
  }

  /** The benchmark of this step on {@code where}. */
  public StepBenchmark.Spec on(Device where, int warmUp, int steps) {
    return new StepBenchmark.Spec(
        model,
        precision,
        recompute,
        where,
        microBatch,
        accumulation,
        length,
        warmUp,
        steps,
        cpuThreads,
        new StateSettings(states, offload, offloadUpdate, SEED).offloading(offloadFraction),
        deterministic,
        tokenKinds);
  }
}
