package dev.duoka.parallel.step;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;
import org.jspecify.annotations.Nullable;

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
    LanguageModel model =
        ModelFactory.create(
            settings.model(),
            new ModelFactory.Allocation(
                policy.computeDtype(),
                device,
                data.size(),
                true,
                settings.sequenceLength(),
                settings.auxiliary().predictionDepth()));
    policy.applyTo(model.parameters());
    @Nullable ShardedOptimizer optimizer = null;
    boolean complete = false;
    try {
      optimizer =
          new ShardedOptimizer(
              model.parameters(), data, settings.optimizer(), settings.zeroStage());
      LossScaler scaler = new LossScaler(settings.lossScale(), settings.precision().scalesLoss());
      TrainingStep step = new TrainingStep(model, optimizer, scaler, data, settings);
      complete = true;
      return new TrainingRank(data, device, model, optimizer, scaler, step);
    } finally {
      if (!complete) { // out of memory, say: what is there is freed
        if (optimizer != null) {
          optimizer.close();
        }
        model.close();
      }
    }
  }

  @Override
  public void close() {
    step.close();
    optimizer.close();
    model.close();
  }
}
