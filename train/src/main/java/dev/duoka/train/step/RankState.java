package dev.duoka.train.step;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExposedTime;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a rank of a run allocates, and frees when it ends.
 *
 * @param training model, optimizer and step
 * @param validation what is held out, this rank's share; null where nothing is
 * @param bySource likewise of single sources
 * @param exposed measures how long the rank does nothing but exchange
 */
public record RankState(
    TrainingRank training,
    @Nullable ValidationBatches validation,
    List<NamedBatches> bySource,
    ExposedTime exposed)
    implements AutoCloseable {
  /** The ranks of the run. */
  public Communicator world() {
    return training.world();
  }

  /** Where the rank computes. */
  public Device device() {
    return training.device();
  }

  /** The weights. */
  public LanguageModel model() {
    return training.model();
  }

  /** Moments and master weights. */
  public ShardedOptimizer optimizer() {
    return training.optimizer();
  }

  /** The loss scale. */
  public LossScaler scaler() {
    return training.scaler();
  }

  /** What runs a step. */
  public TrainingStep step() {
    return training.step();
  }

  @Override
  public void close() {
    training.close();
    exposed.close();
  }
}
