package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.RankShare;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.engine.autograd.Recompute;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.parallel.RankGroup;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.Precision;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.checkpoint.PretrainedWeights;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.LossScaleSettings;
import dev.duoka.train.config.OptimizerSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.schedule.LearningRateSchedule;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs a training job from its configuration to its result.
 *
 * <p>{@link #run} blocks until the run ends; {@link #stop} may be called from any thread and lets
 * it save and end after the current step.
 */
public final class Trainer {
  private final RunConfig config;
  private final RunOptions options;
  private final Path runDir;
  private final RunListener listener;
  private final AtomicBoolean stop = new AtomicBoolean();

  /**
   * A run.
   *
   * @param runDir where it writes
   */
  public Trainer(RunConfig config, RunOptions options, Path runDir, RunListener listener) {
    this.config = config;
    this.options = options;
    this.runDir = runDir;
    this.listener = listener;
  }

  /** Asks the run to save and end after the current step; returns at once. */
  public void stop() {
    stop.set(true);
  }

  /** Trains. Everything is freed when it returns or throws; what was saved stays. */
  public RunResult run() {
    ModelConfig model = ModelSource.config(config.model());
    checkLength(model);
    int ranks = config.parallel().data();
    DevicePlacement placement = DevicePlacement.choose(config.device(), ranks);
    RunFolder.prepare(runDir, config, options.resume());
    TrainingData data =
        TrainingData.open(
            config.data(),
            config.data().seed().orElse(config.training().seed()),
            model,
            new Tokenising());
    long totalSteps =
        config.training().length().steps(config.training().tokensPerStep(), data.trainingTokens());
    long lastStep = Math.min(totalSteps, options.maxSteps().orElse(totalSteps));
    AtomicReference<RankTrainer.@Nullable Outcome> outcome = new AtomicReference<>();
    AtomicReference<Double> mfu = new AtomicReference<>(Double.NaN);
    try (RunCheckpoints checkpoints =
            RunCheckpoints.open(runDir, config, options.resume(), listener);
        MetricsFile metrics = MetricsFile.open(runDir, checkpoints.stepsTaken())) {
      RankGroup.run(
          ranks,
          collectives -> {
            Device device = placement.of(collectives.rank());
            ComputeThread.prepare(device, threads(), ranks);
            try (RankState state = allocate(collectives, device, model, data)) {
              if (!checkpoints.restore(state)) {
                firstWeights(state);
              }
              long firstStep = checkpoints.stepsTaken();
              DataState position = checkpoints.data();
              collectives.barrier(); // the ranks of a CPU measure its rate together, as they train
              DevicePeak peak = peak(placement, device);
              RankTrainer.Plan plan = plan(model, data, totalSteps, lastStep, peak);
              try (BatchStream batches =
                  BatchStream.open(
                      new TrainingOrder(data.training(), dataSeed()),
                      share(collectives),
                      position)) {
                if (collectives.rank() == 0) {
                  listener.started(description(model, data, placement, plan, peak, firstStep));
                }
                RankTrainer trainer =
                    new RankTrainer(
                        state.with(batches), plan, new Events(metrics, checkpoints, totalSteps));
                RankTrainer.Outcome result = trainer.run(firstStep, position);
                if (collectives.rank() == 0) {
                  outcome.set(result);
                  mfu.set(trainer.mfu(result.tokensPerSecond()));
                }
              }
            }
          });
    }
    RankTrainer.Outcome result = outcome.get();
    if (result == null) {
      throw new IllegalStateException("the first rank ended without a result");
    }
    return new RunResult(
        result.loss(),
        result.validationLoss(),
        result.steps(),
        result.tokensPerSecond(),
        mfu.get(),
        peakMemory(placement),
        runDir,
        result.interrupted());
  }

  private void checkLength(ModelConfig model) {
    int length = config.data().sequenceLength();
    if (length > model.maxPositions()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "data.sequence_length is "
              + length
              + ", but the model has "
              + model.maxPositions()
              + " positions",
          "Lower it, or set model.overrides: {max_position_embeddings: " + length + "}");
    }
  }

  private int threads() {
    return config.threadsPerRank(Runtime.getRuntime().availableProcessors());
  }

  private long dataSeed() {
    return config.data().seed().orElse(config.training().seed());
  }

  private RankShare share(Collectives collectives) {
    BatchPlan batch = BatchPlan.of(config);
    return new RankShare(
        collectives.rank(),
        collectives.size(),
        batch.microBatch(),
        Math.toIntExact(batch.sequencesPerStep()));
  }

  private RankState allocate(
      Collectives collectives, Device device, ModelConfig model, TrainingData data) {
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
    ShardedAdamW optimizer;
    try {
      optimizer = optimizer(network, collectives, precision);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
    LossScaler scaler =
        new LossScaler(
            config.lossScale().map(Trainer::lossScale).orElse(LossScaler.Settings.DEFAULT),
            precision.scalesLoss());
    TrainingStep step =
        new TrainingStep(network, optimizer, scaler, collectives, stepSettings(model, depth));
    ValidationBatches validation =
        data.validation() == null
            ? null
            : new ValidationBatches(
                data.validation(),
                config.validation().sequences(),
                collectives.rank(),
                collectives.size(),
                BatchPlan.of(config).microBatch());
    return new RankState(collectives, device, network, optimizer, scaler, step, validation);
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

  private TrainingStep.Settings stepSettings(ModelConfig model, int depth) {
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
    };
  }

  /** Random weights, or those of the folder that the run file names. */
  private void firstWeights(RankState rank) {
    WeightInitializer.initialize(rank.model(), config.training().seed());
    if (config.model().loadWeights() && config.model().path().isPresent()) {
      boolean first = rank.collectives().rank() == 0;
      PretrainedWeights.load(
          config.model().path().get(), rank.model(), first ? listener::notice : _ -> {});
    }
    rank.optimizer().adoptValues();
  }

  private RankTrainer.Plan plan(
      ModelConfig model, TrainingData data, long totalSteps, long lastStep, DevicePeak peak) {
    return new RankTrainer.Plan(
        LearningRateSchedule.of(config.schedule(), config.optimizer(), totalSteps),
        totalSteps,
        lastStep,
        data.validation() == null ? 0 : config.validation().everySteps(),
        config.checkpoint().everySteps(),
        config.checkpoint().atEnd(),
        config.logging().gradientRangeEvery(),
        config.training().tokensPerStep(),
        config.data().sequenceLength(),
        ModelFlops.perToken(model, config.data().sequenceLength()),
        peak.flopsPerSecond());
  }

  private static DevicePeak peak(DevicePlacement placement, Device device) {
    return device.isCuda()
        ? DevicePeak.ofGpu(placement.names().get(device.index()))
        : DevicePeak.ofCpu();
  }

  private String description(
      ModelConfig model,
      TrainingData data,
      DevicePlacement placement,
      RankTrainer.Plan plan,
      DevicePeak peak,
      long firstStep) {
    ParameterCounts counts = ParameterCounts.of(model);
    return String.format(
        Locale.ROOT,
        "model    %s, %,d parameters (%,d active), %s%n"
            + "data     %,d training tokens, %s%n"
            + "devices  %s (%s), %d CPU threads a rank; MFU against %s%n"
            + "batch    %s%n"
            + "steps    %,d to %,d of %,d%n"
            + "run      %s",
        model.architecture(),
        counts.total(),
        counts.active(),
        config.training().precision().name().toLowerCase(Locale.ROOT),
        data.trainingTokens(),
        data.tokenizer().describe(),
        placement.devices(),
        placement.reason(),
        threads(),
        peak.source(),
        BatchPlan.of(config),
        firstStep + 1,
        plan.lastStep(),
        plan.totalSteps(),
        runDir);
  }

  private static long peakMemory(DevicePlacement placement) {
    long largest = 0;
    for (Device device : placement.devices()) {
      largest =
          Math.max(
              largest,
              device.isCuda()
                  ? MemoryLedger.of(device).peakBytes()
                  : ProcessMemory.peakResidentBytes());
    }
    return largest;
  }

  /** Passes what the ranks report on to the listener and the files. */
  private final class Events implements RunEvents {
    private final MetricsFile metrics;
    private final RunCheckpoints checkpoints;
    private final long totalSteps;

    Events(MetricsFile metrics, RunCheckpoints checkpoints, long totalSteps) {
      this.metrics = metrics;
      this.checkpoints = checkpoints;
      this.totalSteps = totalSteps;
    }

    @Override
    public void step(StepMetrics step, double remainingSeconds) {
      metrics.step(step);
      listener.step(step, totalSteps, remainingSeconds);
    }

    @Override
    public void validated(long step, double loss) {
      metrics.validation(step, loss);
      listener.validated(step, loss);
    }

    @Override
    public void save(
        RankTrainer.Rank rank, long steps, DataState data, OptionalDouble validationLoss) {
      checkpoints.save(rank, steps, data, validationLoss);
    }

    @Override
    public boolean stopRequested() {
      return stop.get();
    }
  }

  private final class Tokenising implements TokenisationListener {
    @Override
    public void progress(TokenisationProgress progress) {
      listener.tokenising(progress);
    }

    @Override
    public void notice(String message) {
      listener.notice(message);
    }
  }
}
