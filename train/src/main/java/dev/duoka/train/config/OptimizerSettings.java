package dev.duoka.train.config;

import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.parallel.plan.UpdateRules;
import dev.duoka.train.config.binding.Doc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Section {@code optimizer}: AdamW with decoupled weight decay (Loshchilov and Hutter, 2019). */
public record OptimizerSettings(
    @Doc(
            value = "Peak learning rate, reached at the end of the warm-up.",
            byDefault = "3e-4",
            range = "(0, 10]")
        double learningRate,
    @Doc(value = "Decay of the first moment.", byDefault = "0.9", range = "[0, 1)") double beta1,
    @Doc(value = "Decay of the second moment.", byDefault = "0.95", range = "[0, 1)") double beta2,
    @Doc(value = "Added to the root of the second moment.", byDefault = "1e-8", range = "(0, 1]")
        double eps,
    @Doc(value = "Decoupled weight decay.", byDefault = "0.1", range = "[0, 10]")
        double weightDecay,
    @Doc(
            value =
                "Gradients whose global L2 norm is larger are scaled down to it; 0 switches"
                    + " clipping off.",
            whenAbsent = "1.0, or 0.5 under `fp16`",
            range = "[0, inf)")
        OptionalDouble clipNorm,
    @Doc(
            value =
                "Factors of the learning rate by names as in `training.freeze`, for example"
                    + " `{embed_tokens: 0.1, 'layers[0:8]': 0.5}`; of several that fit a weight the"
                    + " first one counts. Weights with a rate of their own are summed and updated"
                    + " by themselves, so many small groups cost time.",
            byDefault = "{}")
        Map<String, @Nullable Object> rates,
    @Doc(
            value =
                "What the learning rate is multiplied by from each decoder layer to the one below"
                    + " it, and from the lowest to the embedding; the uppermost, the final norm and"
                    + " the head have it as it is. Times `rates`.",
            byDefault = "1",
            range = "(0, 1]")
        double layerDecay,
    @Doc(
            value =
                "Whether the scales of norms have weight decay, too; transformers' own trainer"
                    + " gives them none. There are no biases.",
            byDefault = "true")
        boolean decayNorms) {
  public OptimizerSettings {
    rates = Collections.unmodifiableMap(new LinkedHashMap<>(rates));
  }

  /**
   * Which weights are updated in another way than most.
   *
   * @throws IllegalArgumentException when a name is none, or its factor is no number above 0
   */
  public UpdateRules updates() {
    List<UpdateRules.Rate> factors = new ArrayList<>();
    rates.forEach(
        (name, value) -> {
          double factor = value instanceof Number number ? number.doubleValue() : Double.NaN;
          if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                "'"
                    + name
                    + "' has the factor "
                    + value
                    + (factor == 0
                        ? ": what is not trained belongs in training.freeze"
                        : ", no number above 0"));
          }
          factors.add(new UpdateRules.Rate(new NamePatterns.Within(List.of(name)), factor));
        });
    return new UpdateRules(factors, layerDecay, decayNorms);
  }
}
