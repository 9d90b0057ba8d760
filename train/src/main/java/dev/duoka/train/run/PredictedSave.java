package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.train.config.RunConfig;
import java.util.Optional;

/**
 * What a checkpoint of a run is said to take before there is one.
 *
 * @param bytes of its files
 * @param seconds to write them, to storage that many share
 */
public record PredictedSave(long bytes, double seconds) {
  /** Weights of two bytes; master weights and two moments of four. */
  private static final int BYTES_PER_PARAMETER = 14;

  /** What one may count on of storage over a network. */
  private static final double BYTES_PER_SECOND = 500e6;

  /** Twice that, in whole minutes: what a run is given to save and end. */
  public int graceSeconds() {
    return 60 * (int) Math.ceil(2 * seconds / 60);
  }

  /** Of a run; empty where its model cannot be read here. */
  public static Optional<PredictedSave> of(RunConfig config) {
    Optional<ModelConfig> model = RunChecks.model(config);
    return model.map(
        it -> {
          long bytes = ParameterCounts.of(it).totalWithMtp() * BYTES_PER_PARAMETER;
          return new PredictedSave(bytes, bytes / BYTES_PER_SECOND);
        });
  }
}
