package dev.duoka.train.step;

import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.model.LanguageModel;
import dev.duoka.tensor.Device;
import org.jspecify.annotations.Nullable;

/** Everything that a rank allocates, and frees when it ends. */
public record RankState(
    Collectives collectives,
    Device device,
    LanguageModel model,
    ShardedAdamW optimizer,
    LossScaler scaler,
    TrainingStep step,
    @Nullable ValidationBatches validation)
    implements AutoCloseable {
  @Override
  public void close() {
    step.close();
    optimizer.close();
    model.close();
  }
}
