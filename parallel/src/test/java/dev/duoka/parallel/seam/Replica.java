package dev.duoka.parallel.seam;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.schedule.Action;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.step.MicroBatchLosses;
import dev.duoka.parallel.step.ScheduleExecutor;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A part of a small model with an optimizer that does not clip, and an executor. */
final class Replica implements AutoCloseable, MicroBatchLosses {
  private final LanguageModel model;
  private final ShardedOptimizer optimizer;
  private final ScheduleExecutor executor;
  private final double targets;
  private double lossSum;

  /**
   * A part of a model, in fp32 on the CPU; its weights are zero.
   *
   * @param targets of a step
   */
  Replica(
      ModelConfig config,
      ModelFactory.Part part,
      Communicator pipeline,
      Recompute recompute,
      double targets) {
    this.targets = targets;
    model =
        ModelFactory.create(
            config,
            new ModelFactory.Allocation(
                Dtype.FLOAT32, Device.CPU, 1, true, TinyRuns.LENGTH, 0, part));
    // Without clipping a step depends on no norm over all ranks.
    optimizer =
        new ShardedOptimizer(
            model.parameters(),
            new SingleRank("data"),
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0),
            0);
    executor = new ScheduleExecutor(model, recompute, pipeline);
  }

  LanguageModel model() {
    return model;
  }

  ScheduleExecutor executor() {
    return executor;
  }

  void substituteWith(Substitution substitution) {
    executor.substituteWith(substitution);
  }

  /** Runs forward and backward passes; returns the mean loss, 0 where there is no head. */
  double passes(List<Action> actions, List<MicroBatch> microBatches, Runnable reduce) {
    lossSum = 0;
    model.parameters().resetGradients();
    executor.run(actions, microBatches, new ScheduleExecutor.StepWork(this, _ -> {}, reduce));
    return lossSum / targets;
  }

  /** A whole step; returns the mean loss. */
  double step(List<Action> actions, List<MicroBatch> microBatches) {
    double loss = passes(actions, microBatches, () -> {});
    optimizer.step(1e-3, 1);
    model.selectionBiases().forEach(bias -> bias.move(0.001));
    return loss;
  }

  /** Takes over the weights as they are now. */
  void adopt() {
    optimizer.adoptValues();
  }

  @Override
  public LossWeights weights() {
    return new LossWeights(1 / targets, 0);
  }

  @Override
  public @Nullable BalanceLoss balance(MicroBatch microBatch) {
    return model.config().moe() == null ? null : new BalanceLoss(0.01, TinyRuns.LENGTH);
  }

  @Override
  public void add(Losses losses) {
    lossSum += HostCopy.item(losses.next().value());
  }

  @Override
  public void close() {
    optimizer.close();
    model.close();
  }
}
