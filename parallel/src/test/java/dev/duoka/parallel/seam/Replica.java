package dev.duoka.parallel.seam;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.Objective;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.step.MicroBatchLosses;
import dev.duoka.parallel.step.ScheduleExecutor;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A small model and an executor of it. */
final class Replica implements AutoCloseable, MicroBatchLosses {
  private final LanguageModel model;
  private final ScheduleExecutor executor;
  private final double targets;
  private double lossSum;

  /**
   * A model in fp32 on the CPU; its weights are zero.
   *
   * @param targets of a step
   */
  Replica(ModelConfig config, Recompute recompute, double targets) {
    this.targets = targets;
    model =
        ModelFactory.create(
            config,
            new ModelFactory.Allocation(Dtype.FLOAT32, Device.CPU, true, TinyRuns.LENGTH, 0));
    executor = new ScheduleExecutor(model, recompute);
  }

  LanguageModel model() {
    return model;
  }

  ScheduleExecutor executor() {
    return executor;
  }

  /** Runs forward and backward passes; returns the mean loss, 0 where there is no head. */
  double passes(Schedule schedule, List<MicroBatch> microBatches, Runnable reduce) {
    lossSum = 0;
    model.parameters().resetGradients();
    executor.run(
        schedule,
        microBatches,
        new ScheduleExecutor.StepWork(this, (_, _) -> {}, _ -> reduce.run()));
    return lossSum / targets;
  }

  @Override
  public Objective objective() {
    return new Objective.NextToken(1 / targets, 0);
  }

  @Override
  public @Nullable BalanceLoss balance(MicroBatch microBatch) {
    return model.config().moe() == null ? null : new BalanceLoss(0.01, TinyRuns.LENGTH);
  }

  @Override
  public void add(Losses losses) {
    lossSum += HostCopy.item(losses.main().value());
  }

  @Override
  public void close() {
    model.close();
  }
}
