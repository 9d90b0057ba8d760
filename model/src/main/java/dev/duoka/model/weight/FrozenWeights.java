package dev.duoka.model.weight;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.formats.adapter.NamePatterns;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Which of a model's weights are not trained, where it has no adapter. */
public final class FrozenWeights {
  private FrozenWeights() {}

  /**
   * Freezes those of some modules.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} when a part of a weight is meant
   */
  public static void freeze(WeightDeclarations declarations, NamePatterns modules) {
    for (Weight weight : declarations.weights()) {
      if (weight.isOf(modules)) {
        weight.freeze();
      }
    }
  }

  /**
   * Refuses paths that fit nothing of a whole model.
   *
   * @param kind what they are to fit, in words
   * @throws DuokaException with {@link ErrorCode#CONFIG}
   */
  public static void requireFitting(
      List<Weight> weights, NamePatterns.Within modules, String kind) {
    List<String> names =
        weights.stream()
            .flatMap(weight -> weight.checkpointTensors().stream())
            .map(CheckpointTensor::module)
            .toList();
    List<String> idle = modules.idle(names);
    if (!idle.isEmpty()) {
      List<String> words =
          names.stream().flatMap(name -> Arrays.stream(name.split("\\."))).distinct().toList();
      throw new DuokaException(
          ErrorCode.CONFIG,
          "'" + idle.getFirst() + "' fits no " + kind,
          NearestName.hint(idle.getFirst(), words));
    }
  }

  /**
   * Refuses a model of which nothing is trained.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG}
   */
  public static void requireTrained(List<Weight> weights) {
    if (weights.stream().noneMatch(weight -> weight.spec().trainable())) {
      throw new DuokaException(
          ErrorCode.CONFIG, "all weights of the model are frozen", "Leave some to be trained");
    }
  }

  /** How many there are, in words; of a whole model. */
  public static String summary(List<Weight> weights) {
    long all = elements(weights);
    long trained = elements(weights.stream().filter(weight -> weight.spec().trainable()).toList());
    return String.format(
        Locale.ROOT,
        "%,d of %,d weights are trained (%.2f %%), the rest are frozen",
        trained,
        all,
        100.0 * trained / all);
  }

  private static long elements(List<Weight> weights) {
    return weights.stream().map(Weight::spec).mapToLong(ParameterSpec::elements).sum();
  }
}
