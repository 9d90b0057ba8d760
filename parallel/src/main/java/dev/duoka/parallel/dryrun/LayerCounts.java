package dev.duoka.parallel.dryrun;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import java.util.Optional;

/**
 * How many decoder layers of each kind a model has: dense ones first, then mixtures of experts.
 *
 * @param dense layers with a dense feed-forward part
 * @param mixture layers with experts
 */
record LayerCounts(int dense, int mixture) {
  /** Those of a model; empty where its kinds alternate. */
  static Optional<LayerCounts> of(ModelConfig config) {
    int dense = 0;
    while (dense < config.layers() && !config.isMoeLayer(dense)) {
      dense++;
    }
    for (int layer = dense; layer < config.layers(); layer++) {
      if (!config.isMoeLayer(layer)) {
        return Optional.empty();
      }
    }
    return Optional.of(new LayerCounts(dense, config.layers() - dense));
  }

  /** The same model with so many layers of each kind. */
  ModelConfig applyTo(ModelConfig config) {
    MoeConfig moe = config.moe();
    return config.with(dense + mixture, moe == null ? null : withDense(moe), config.mtpModules());
  }

  private MoeConfig withDense(MoeConfig moe) {
    return new MoeConfig(
        moe.routedExperts(),
        moe.expertsPerToken(),
        moe.sharedExperts(),
        moe.expertIntermediateSize(),
        dense,
        moe.layerFrequency(),
        moe.scoring(),
        moe.selection(),
        moe.groups(),
        moe.topkGroups(),
        moe.normalizeTopk(),
        moe.scalingFactor(),
        moe.auxLossAlpha(),
        moe.sequenceAuxLoss());
  }

  /** What blocks of the tape have in common. */
  String kind(int block) {
    return block < dense ? "dense layers" : block < dense + mixture ? "mixtures" : "predictors";
  }
}
