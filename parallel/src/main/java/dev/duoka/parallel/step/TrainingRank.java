package dev.duoka.parallel.step;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;

/**
 * Everything that a rank allocates to train, and frees when it ends; the one place where model,
 * optimizer and step are put together.
 *
 * @param data the ranks that hold the same weights and see other data
 */
public record TrainingRank(
    Communicator data,
    Device device,
    LanguageModel model,
    ShardedOptimizer optimizer,
    LossScaler scaler,
    TrainingStep step)
    implements AutoCloseable {
  /** Allocates a rank on its device; the weights hold nothing yet. */
  public static TrainingRank allocate(Communicator data, Device device, StepSettings settings) {
    PrecisionPolicy policy = new PrecisionPolicy(settings.precision());
    ModelFactory.Allocation allocation =
        new ModelFactory.Allocation(
            policy.computeDtype(),
            device,
            data.size(),
            true,
            settings.sequenceLength(),
            settings.auxiliary().predictionDepth());
    try (Resources made = new Resources()) { // out of memory, say: what is there is freed
      LanguageModel model = made.own(ModelFactory.create(settings.model(), allocation));
      policy.applyTo(model.parameters());
      ShardedOptimizer optimizer =
          made.own(
              new ShardedOptimizer(
                  model.parameters(), data, settings.optimizer(), settings.zeroStage()));
      LossScaler scaler = new LossScaler(settings.lossScale(), settings.precision().scalesLoss());
      TrainingStep step = made.own(new TrainingStep(model, optimizer, scaler, data, settings));
      made.release();
      return new TrainingRank(data, device, model, optimizer, scaler, step);
    }
  }

  @Override
  public void close() {
    try (model;
        optimizer;
        step) {
      // Closed in the opposite order, each even where another fails.
    }
  }
}
