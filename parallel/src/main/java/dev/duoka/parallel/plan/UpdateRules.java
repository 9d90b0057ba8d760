package dev.duoka.parallel.plan;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.Weight;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Which weights are updated in another way than most. Weights that are updated alike share a
 * bucket, so each further way makes the buckets of a block more and smaller.
 *
 * @param rates factors of the learning rate; of several that fit a weight the first one counts
 * @param layerDecay what the learning rate is multiplied by from a decoder layer to the one below
 *     it, and from the lowest to the embedding; the uppermost, the final norm and the head have it
 *     as it is (after ELECTRA, Clark et al., arXiv:2003.10555)
 * @param decaysNorms whether the scales of norms have weight decay
 */
public record UpdateRules(List<Rate> rates, double layerDecay, boolean decaysNorms) {
  /** All weights are updated alike. */
  public static final UpdateRules NONE = new UpdateRules(List.of(), 1, true);

  public UpdateRules {
    rates = List.copyOf(rates);
  }

  /**
   * A factor of some weights.
   *
   * @param modules what they belong to
   * @param factor of the learning rate
   */
  public record Rate(NamePatterns modules, double factor) {}

  /**
   * How a model's weights are updated.
   *
   * @param predictionDepth modules that predict further tokens
   * @throws DuokaException with {@link ErrorCode#CONFIG} where a rate is for a part of a weight
   */
  public Function<ParameterSpec, UpdateFactors> of(ModelConfig model, int predictionDepth) {
    if (equals(NONE)) {
      return _ -> UpdateFactors.ONE;
    }
    Map<String, UpdateFactors> factors = new HashMap<>();
    for (Weight weight : ModelFactory.declared(model, predictionDepth).weights()) {
      factors.put(
          weight.spec().name(),
          new UpdateFactors(rate(weight, model.layers()), decays(weight) ? 1 : 0));
    }
    return spec -> factors.getOrDefault(spec.name(), UpdateFactors.ONE);
  }

  private double rate(Weight weight, int layers) {
    int below = Math.max(0, layers - weight.spec().block()); // layer l is block l + 1
    double ofLayer = Math.pow(layerDecay, below);
    for (Rate rate : rates) {
      if (weight.isOf(rate.modules())) {
        return ofLayer * rate.factor();
      }
    }
    return ofLayer;
  }

  private boolean decays(Weight weight) {
    boolean isNorm = !weight.isAdapter() && weight.spec().sections().size() == 1;
    return decaysNorms || !isNorm;
  }

  /** Whether layers of a kind may have other buckets than each other. */
  public boolean mayTellLayersApart() {
    return rates.stream().anyMatch(rate -> rate.modules().mayTellLayersApart());
  }
}
