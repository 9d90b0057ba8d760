package dev.duoka.train.step;

import dev.duoka.base.Progress;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExposedTime;
import dev.duoka.data.batch.RankShare;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.training.NamedSequences;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.layout.Layout;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.FirstMagnitudes;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.train.checkpoint.PretrainedWeights;
import dev.duoka.train.config.AdapterSettings;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.LossScaleSettings;
import dev.duoka.train.config.OptimizerSettings;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes what a rank needs from the configuration: model, optimizer, step, its share of the data.
 */
public final class RankBuilder {
  private final RunConfig config;
  private final ModelConfig model;
  private final @Nullable SequenceSet validation;
  private final List<NamedSequences> bySource;

  /**
   * A builder of a run's ranks.
   *
   * @param validation what is held out; null where nothing is
   */
  public RankBuilder(RunConfig config, ModelConfig model, @Nullable SequenceSet validation) {
    this(config, model, validation, List.of());
  }

  /**
   * As the other one, of a run that is measured on single sources, too.
   *
   * @param bySource what is held out of each
   */
  public RankBuilder(
      RunConfig config,
      ModelConfig model,
      @Nullable SequenceSet validation,
      List<NamedSequences> bySource) {
    this.bySource = List.copyOf(bySource);
    this.config = config;
    this.model = model;
    this.validation = validation;
  }

  /** Allocates everything; the weights hold nothing yet. */
  public RankState allocate(Communicator world, Device device) {
    Mesh mesh = Mesh.of(config.layout());
    ExposedTime exposed = new ExposedTime(device);
    TrainingRank training =
        TrainingRank.allocate(
            mesh, world.size() == 1 ? world : exposed.over(world), device, settings());
    return new RankState(
        training,
        validation == null ? null : batches(validation, mesh, world),
        bySource.stream()
            .map(it -> new NamedBatches(it.name(), batches(it.sequences(), mesh, world)))
            .toList(),
        exposed);
  }

  private ValidationBatches batches(SequenceSet held, Mesh mesh, Communicator world) {
    return new ValidationBatches(
        held,
        config.validation().sequences(),
        mesh.dataRank(world.rank()),
        mesh.data(),
        config.layout().microBatch());
  }

  /** The step of a rank, for a dry run. */
  public DryRunJob plan(int rank) {
    Layout layout = config.layout();
    return new DryRunJob(
        settings(), Mesh.of(layout), rank, layout.microBatch(), layout.accumulation());
  }

  /** What the step of this run is made from. */
  public StepSettings settings() {
    Layout layout = config.layout();
    Precision precision = layout.precision();
    OptimizerSettings optimizer = config.optimizer();
    return new StepSettings(
        model,
        precision,
        layout.recompute(),
        config.data().sequenceLength(),
        new AdamWSettings(
            optimizer.beta1(),
            optimizer.beta2(),
            optimizer.eps(),
            optimizer.weightDecay(),
            optimizer.clipNorm().orElse(precision.defaultClipNorm())),
        layout.zero(),
        config.lossScale().map(RankBuilder::lossScale).orElse(LossScaler.Settings.DEFAULT),
        auxiliaryLosses(),
        pipeline(config.parallel()),
        StateSettings.of(layout, config.training().seed()),
        config
            .preference()
            .map(it -> new PreferenceLoss.Terms(it.beta(), it.labelSmoothing(), it.chosenWeight()))
            .orElse(null),
        optimizer.updates(),
        config.training().embeddingNoise(),
        config.parallel().dispatcher());
  }

  /** How section {@code parallel} cuts a model into stages, and in which order they work. */
  public static PipelineSettings pipeline(ParallelSettings parallel) {
    return new PipelineSettings(
        parallel.schedule().kind().orElse(PipelineKind.ONE_F_ONE_B),
        parallel.stagesOfRank(),
        parallel.stages(),
        parallel.schedule().file().map(ScheduleFile::read));
  }

  /**
   * Random weights, or those of the folder that the run file names. Collective.
   *
   * @param notice hears what was odd about that folder
   * @param progress hears how far it is read
   * @param meanwhile what the calling thread does while another one writes; launches what it likes
   *     and exchanges nothing
   */
  public void firstWeights(
      RankState rank, Consumer<String> notice, Progress progress, Runnable meanwhile) {
    rank.optimizer()
        .fill(
            own ->
                ComputeThread.sideBySide(
                    rank.device(), () -> write(rank, own, notice, progress), meanwhile));
    if (config.adapter().flatMap(AdapterSettings::path).isEmpty()) {
      FirstMagnitudes.set(rank.training());
    }
  }

  private void write(
      RankState rank,
      Function<Parameter, HeldRange> own,
      Consumer<String> notice,
      Progress progress) {
    boolean loads = config.model().loadWeights() && config.model().path().isPresent();
    Set<Parameter> stored =
        loads ? PretrainedWeights.stored(config.model().path().get(), rank.model()) : Set.of();
    WeightInitializer.initialize(
        rank.model(),
        config.training().seed(),
        it -> stored.contains(it) ? HeldRange.NONE : own.apply(it));
    if (loads) {
      boolean first = rank.world().rank() == 0;
      PretrainedWeights.load(
          config.model().path().get(),
          rank.model(),
          first ? notice : _ -> {},
          first ? progress : Progress.NONE);
    }
    config.adapter().flatMap(AdapterSettings::path).ifPresent(it -> read(it, rank));
  }

  private void read(Path adapter, RankState rank) {
    try (SafetensorsFolder weights = SafetensorsFolder.open(adapter, AdapterFile.FILE_NAME)) {
      AdapterFile.require(weights, ModelFactory.declared(model, 0).weights());
      AdapterFile.read(weights, rank.model().weights());
    }
  }

  /** Which sequences of a step are this rank's. */
  public RankShare share(Communicator world) {
    BatchPlan batch = BatchPlan.of(config);
    Mesh mesh = Mesh.of(config.layout());
    return new RankShare(
        mesh.dataRank(world.rank()),
        mesh.data(),
        batch.microBatch(),
        Math.toIntExact(batch.sequencesPerStep()));
  }

  private StepSettings.AuxiliaryLosses auxiliaryLosses() {
    MoeConfig moe = model.moe();
    boolean frozen = model.adapter() != null; // an adapter has no use for what balances a router
    boolean further = config.model().mtpWeight() > 0 && !frozen && config.preference().isEmpty();
    int depth = further ? model.mtpModules() : 0;
    return new StepSettings.AuxiliaryLosses(
        depth,
        depth == 0 ? 0 : config.model().mtpWeight(),
        moe == null
            ? 0
            : config.model().router().balanceLoss().orElse(frozen ? 0 : moe.auxLossAlpha()),
        moe != null && moe.sequenceAuxLoss(),
        frozen ? 0 : config.model().router().biasUpdateRate());
  }

  private static LossScaler.Settings lossScale(LossScaleSettings settings) {
    return new LossScaler.Settings(
        settings.initial(),
        settings.growthFactor(),
        settings.backoffFactor(),
        settings.growthInterval());
  }
}
