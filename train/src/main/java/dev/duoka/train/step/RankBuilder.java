package dev.duoka.train.step;

import dev.duoka.data.batch.RankShare;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.engine.autograd.Recompute;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.Precision;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
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
import org.jspecify.annotations.Nullable;

/**
 * Makes what a rank needs from the configuration: model, optimizer, step, its share of the data.
 */
public final class RankBuilder {
  private final RunConfig config;
  private final ModelConfig model;
  private final @Nullable SequenceSet validation;

  /**
   * A builder of a run's ranks.
   *
   * @param validation what is held out; null where nothing is
   */
  public RankBuilder(RunConfig config, ModelConfig model, @Nullable SequenceSet validation) {
    this.config = config;
    this.model = model;
    this.validation = validation;
  }

  /** Allocates everything; the weights hold nothing yet. */
  public RankState allocate(Collectives collectives, Device device) {
    Precision precision = precision();
    int depth = config.model().mtpWeight() > 0 ? model.mtpModules() : 0;
    LanguageModel network =
        ModelFactory.create(
            model,
            new ModelFactory.Allocation(
                precision.computeDtype(),
                device,
                collectives.size(),
                true,
                config.data().sequenceLength(),
                depth));
    precision.applyTo(network.parameters());
    ShardedAdamW optimizer;
    try {
      optimizer = optimizer(network, collectives, precision);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
    LossScaler scaler =
        new LossScaler(
            config.lossScale().map(RankBuilder::lossScale).orElse(LossScaler.Settings.DEFAULT),
            precision.scalesLoss());
    TrainingStep step =
        new TrainingStep(network, optimizer, scaler, collectives, stepSettings(depth));
    ValidationBatches held =
        validation == null
            ? null
            : new ValidationBatches(
                validation,
                config.validation().sequences(),
                collectives.rank(),
                collectives.size(),
                BatchPlan.of(config).microBatch());
    return new RankState(collectives, device, network, optimizer, scaler, step, held);
  }

  /** Random weights, or those of the folder that the run file names. */
  public void firstWeights(RankState rank, Consumer<String> notice) {
    WeightInitializer.initialize(rank.model(), config.training().seed());
    if (config.model().loadWeights() && config.model().path().isPresent()) {
      boolean first = rank.collectives().rank() == 0;
      PretrainedWeights.load(config.model().path().get(), rank.model(), first ? notice : _ -> {});
    }
    rank.optimizer().adoptValues();
  }

  /** Which sequences of a step are this rank's. */
  public RankShare share(Collectives collectives) {
    BatchPlan batch = BatchPlan.of(config);
    return new RankShare(
        collectives.rank(),
        collectives.size(),
        batch.microBatch(),
        Math.toIntExact(batch.sequencesPerStep()));
  }

  private ShardedAdamW optimizer(
      LanguageModel network, Collectives collectives, Precision precision) {
    OptimizerSettings settings = config.optimizer();
    return new ShardedAdamW(
        network.parameters(),
        collectives,
        new AdamWSettings(
            settings.beta1(),
            settings.beta2(),
            settings.eps(),
            settings.weightDecay(),
            settings.clipNorm().orElse(precision.defaultClipNorm())),
        config.parallel().zero());
  }

  private TrainingStep.Settings stepSettings(int depth) {
    MoeConfig moe = model.moe();
    return new TrainingStep.Settings(
        switch (config.training().recompute()) {
          case NONE -> Recompute.NONE;
          case SELECTIVE -> Recompute.SELECTIVE;
          case FULL -> Recompute.FULL;
        },
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

  private Precision precision() {
    return switch (config.training().precision()) {
      case FP32 -> Precision.FP32;
      case BF16 -> Precision.BF16;
      case FP16 -> Precision.FP16;
      case FP8 -> Precision.FP8;
    };
  }
}
