package dev.duoka.train.loop;

import dev.duoka.data.batch.RankShare;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Precision;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.tensor.Device;
import dev.duoka.train.checkpoint.PretrainedWeights;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.LossScaleSettings;
import dev.duoka.train.config.OptimizerSettings;
import dev.duoka.train.config.RunConfig;
import java.util.function.Consumer;

/**
 * Makes what a rank needs from the configuration: model, optimizer, step, its share of the data.
 */
final class RankBuilder {
  private final RunConfig config;
  private final ModelConfig model;
  private final TrainingData data;

  RankBuilder(RunConfig config, ModelConfig model, TrainingData data) {
    this.config = config;
    this.model = model;
    this.data = data;
  }

  /** Allocates everything; the weights hold nothing yet. */
  RankState allocate(Collectives collectives, Device device) {
    Layout layout = config.layout();
    Precision precision = layout.precision();
    PrecisionPolicy policy = new PrecisionPolicy(precision);
    int depth = config.model().mtpWeight() > 0 ? model.mtpModules() : 0;
    LanguageModel network =
        ModelFactory.create(
            model,
            new ModelFactory.Allocation(
                policy.computeDtype(),
                device,
                collectives.size(),
                true,
                config.data().sequenceLength(),
                depth));
    policy.applyTo(network.parameters());
    ShardedAdamW optimizer;
    try {
      optimizer = optimizer(network, collectives, layout);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
    LossScaler scaler =
        new LossScaler(
            config.lossScale().map(RankBuilder::lossScale).orElse(LossScaler.Settings.DEFAULT),
            precision.scalesLoss());
    TrainingStep step =
        new TrainingStep(network, optimizer, scaler, collectives, stepSettings(layout, depth));
    ValidationBatches validation =
        data.validation() == null
            ? null
            : new ValidationBatches(
                data.validation(),
                config.validation().sequences(),
                collectives.rank(),
                collectives.size(),
                layout.microBatch());
    return new RankState(collectives, device, network, optimizer, scaler, step, validation);
  }

  /** Random weights, or those of the folder that the run file names. */
  void firstWeights(RankState rank, Consumer<String> notice) {
    WeightInitializer.initialize(rank.model(), config.training().seed());
    if (config.model().loadWeights() && config.model().path().isPresent()) {
      boolean first = rank.collectives().rank() == 0;
      PretrainedWeights.load(config.model().path().get(), rank.model(), first ? notice : _ -> {});
    }
    rank.optimizer().adoptValues();
  }

  /** Which sequences of a step are this rank's. */
  RankShare share(Collectives collectives) {
    BatchPlan batch = BatchPlan.of(config);
    return new RankShare(
        collectives.rank(),
        collectives.size(),
        batch.microBatch(),
        Math.toIntExact(batch.sequencesPerStep()));
  }

  private ShardedAdamW optimizer(LanguageModel network, Collectives collectives, Layout layout) {
    OptimizerSettings settings = config.optimizer();
    return new ShardedAdamW(
        network.parameters(),
        collectives,
        new AdamWSettings(
            settings.beta1(),
            settings.beta2(),
            settings.eps(),
            settings.weightDecay(),
            settings.clipNorm().orElse(layout.precision().defaultClipNorm())),
        layout.zero());
  }

  private TrainingStep.Settings stepSettings(Layout layout, int depth) {
    MoeConfig moe = model.moe();
    return new TrainingStep.Settings(
        layout.recompute(),
        depth == 0 ? 0 : config.model().mtpWeight(),
        moe == null ? 0 : config.model().router().balanceLoss().orElse(moe.auxLossAlpha()),
        moe != null && moe.sequenceAuxLoss(),
        config.model().router().biasUpdateRate());
  }

  private static LossScaler.Settings lossScale(LossScaleSettings settings) {
    return new LossScaler.Settings(
        settings.initial(),
        settings.growthFactor(),
        settings.backoffFactor(),
        settings.growthInterval());
  }
}
