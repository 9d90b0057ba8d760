package dev.duoka.train.checkpoint;

import dev.duoka.data.batch.DataState;
import dev.duoka.engine.precision.LossScaler;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The part of a run's state that is a few numbers.
 *
 * @param step training steps done, skipped ones included
 * @param optimizerSteps updates made
 * @param data where reading the data goes on
 * @param lossScaler the scale of the next step
 * @param seed of the run
 * @param identity what must not change between sessions of a run, hashes by name: another value
 *     under the same name means that the run cannot go on
 * @param extras further numbers under names of their own, for instance the last validation loss;
 *     those that are not finite are left out
 * @param words further texts under names of their own, for instance what the best step is judged by
 */
public record TrainingState(
    long step,
    long optimizerSteps,
    DataState data,
    LossScaler.State lossScaler,
    long seed,
    Map<String, String> identity,
    Map<String, Double> extras,
    Map<String, String> words) {
  public TrainingState {
    identity = Collections.unmodifiableMap(new TreeMap<>(identity));
    Map<String, Double> finite = new TreeMap<>(extras);
    finite.values().removeIf(value -> !Double.isFinite(value));
    extras = Collections.unmodifiableMap(finite);
    words = Collections.unmodifiableMap(new TreeMap<>(words));
  }

  /** Without texts. */
  public TrainingState(
      long step,
      long optimizerSteps,
      DataState data,
      LossScaler.State lossScaler,
      long seed,
      Map<String, String> identity,
      Map<String, Double> extras) {
    this(step, optimizerSteps, data, lossScaler, seed, identity, extras, Map.of());
  }
}
