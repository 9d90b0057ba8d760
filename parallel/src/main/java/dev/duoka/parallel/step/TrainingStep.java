package dev.duoka.parallel.step;

import dev.duoka.base.Resources;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.Losses;
import dev.duoka.model.Objective;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.state.ExpertLoads;
import dev.duoka.parallel.state.PendingOutcome;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StepOutcome;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One optimizer step of one rank: its schedule of micro-batches, then the update. */
public final class TrainingStep implements AutoCloseable {
  /**
   * What a step gave.
   *
   * @param loss mean cross-entropy of the next token over all ranks, or mean loss of pairs
   * @param figures of pairs: means of {@link PreferenceLoss#FIGURES}; empty where tokens count
   * @param furtherLoss mean cross-entropy of further tokens; NaN where there are none
   * @param forwardSeconds of the host's thread, to launch forward passes
   * @param backwardSeconds of the host's thread, to launch backward passes
   * @param optimizerSeconds of the host's thread, to launch the update and to wait for the end
   * @param seconds from the end of the step before, or from {@link #markStart}, to the end of this
   *     one, by the device's clock; NaN for a first step without a mark
   */
  public record Result(
      double loss,
      double furtherLoss,
      List<Double> figures,
      StepOutcome outcome,
      double forwardSeconds,
      double backwardSeconds,
      double optimizerSeconds,
      double seconds) {}

  /** A step that was launched and may not have ended. */
  public final class PendingStep {
    private final DeferredRead losses;
    private final @Nullable DeferredRead before;
    private final PendingOutcome update;
    private final double counted;
    private final double forwardSeconds;
    private final double backwardSeconds;
    private final double optimizerSeconds;

    private PendingStep(
        DeferredRead losses,
        @Nullable DeferredRead before,
        PendingOutcome update,
        double counted,
        double optimizerSeconds) {
      this.losses = losses;
      this.before = before;
      this.update = update;
      this.counted = counted;
      this.forwardSeconds = executor.forwardSeconds();
      this.backwardSeconds = executor.backwardSeconds();
      this.optimizerSeconds = optimizerSeconds;
    }

    /**
     * What the step gave; waits for it, and counts that as the optimizer's time. Collective. To be
     * called once, before the next but one step is launched.
     */
    public Result await() {
      long start = System.nanoTime();
      StepOutcome outcome = update.await();
      double[] sums = losses.await();
      if (!countsLosses()) {
        Arrays.fill(sums, 0);
      }
      groups.world().agreement().sum(sums);
      double waited = (System.nanoTime() - start) * 1e-9;
      for (int i = 0; i < sums.length; i++) {
        sums[i] /= counted;
      }
      double[] beside = Arrays.copyOfRange(sums, 1, sums.length);
      boolean pairs = preference != null;
      return new Result(
          sums[0],
          pairs ? Double.NaN : Arrays.stream(beside).average().orElse(Double.NaN),
          pairs ? Arrays.stream(beside).boxed().toList() : List.of(),
          outcome,
          forwardSeconds,
          backwardSeconds,
          optimizerSeconds + waited,
          before == null ? Double.NaN : losses.secondsSince(before));
    }
  }

  private final StagePass stage;
  private final LanguageModel model;
  private final MeshGroups groups;
  private final PipelineSettings pipeline;
  private final ShardedOptimizer optimizer;
  private final LossScaler scaler;
  private final Device device;
  private final StepSettings.AuxiliaryLosses auxiliary;
  private final PreferenceLoss.@Nullable Terms preference;
  private final boolean dropsOut;
  private final double noise;
  private final long seed;
  private final ScheduleExecutor executor;
  private final Tensor lossSums;

  /** Of the step that is read, the one before, which its time counts from, and the next one. */
  private final DeferredRead[] lossReads = new DeferredRead[3];

  private final Resources owned;
  private Schedule schedule = Schedule.withoutPipeline(1);
  private int scheduledMicroBatches;
  private long launched;
  private @Nullable DeferredRead lastEnd;
  private @Nullable FunctionObserver observer;
  private boolean updating;

  TrainingStep(
      StagePass stage, ShardedOptimizer optimizer, LossScaler scaler, StepSettings settings) {
    this.stage = stage;
    this.model = stage.model();
    this.groups = stage.groups();
    this.pipeline = settings.pipeline();
    this.optimizer = optimizer;
    this.scaler = scaler;
    this.auxiliary = settings.auxiliary();
    this.preference = settings.preference();
    AdapterConfig adapter = settings.model().adapter();
    this.dropsOut = adapter != null && adapter.dropout() > 0;
    this.noise = settings.embeddingNoise();
    this.seed = settings.states().seed();
    this.device = model.parameters().device();
    this.executor = new ScheduleExecutor(stage, settings.recompute());
    Dtype dtype = model.parameters().wideDtype();
    int losses = 1 + (preference == null ? model.predictionDepth() : PreferenceLoss.FIGURES);
    try (Resources made = new Resources();
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      lossSums = made.own(Scope.detach(Tensors.zeros(dtype, device, losses)));
      for (int i = 0; i < lossReads.length; i++) {
        lossReads[i] = made.own(new DeferredRead(device, dtype, losses));
      }
      owned = made.release();
    }
  }

  /** What this rank's model makes of other sequences; as long as the step is open. */
  public Evaluator evaluator() {
    return new Evaluator(stage, executor, pipeline, objective(0));
  }

  /**
   * Which activations are computed again in the steps that follow; on all ranks alike. What a step
   * computes stays the same.
   */
  public void recompute(Recompute recompute) {
    executor.recompute(recompute);
  }

  /** Lets {@code observer} see the steps that follow; null for nobody. */
  public void observe(@Nullable FunctionObserver observer) {
    this.observer = observer;
    executor.observe(observer);
  }

  /** As {@link #launch(StepBatch, double)}, and waits for its end. Collective. */
  public Result run(StepBatch batch, double learningRate) {
    return launch(batch, learningRate).await();
  }

  /**
   * Launches the step. Collective. Waits for the device only where the loss scale of the next step
   * depends on this one. Gradients are summed over the ranks while the last backward pass runs.
   */
  public PendingStep launch(StepBatch batch, double learningRate) {
    return launch(batch, learningRate, null, false);
  }

  /**
   * As {@link #launch(StepBatch, double)}.
   *
   * @param beforeUpdate runs when the backward pass is launched and the ranks' loads of experts are
   *     not summed yet; null for nothing
   * @param measures whether the outcome is to tell the gradients' ranges; on all ranks or none
   */
  public PendingStep launch(
      StepBatch batch, double learningRate, @Nullable Runnable beforeUpdate, boolean measures) {
    updating = false;
    model.parameters().resetGradients();
    Tensors.zero(lossSums);
    double scale = scaler.scale();
    int microBatches = batch.microBatches().size();
    executor.run(
        schedule(microBatches),
        batch.microBatches(),
        new ScheduleExecutor.StepWork(
            new Weighted(batch, scale), optimizer.reducer()::ready, optimizer.reducer()::reduce));
    if (beforeUpdate != null) {
      beforeUpdate.run();
    }
    long start = System.nanoTime();
    PendingOutcome update = update(learningRate, scale, measures);
    boolean applied = true;
    if (scaler.isEnabled()) {
      StepOutcome outcome = update.await();
      update = () -> outcome;
      applied = outcome.applied();
      scaler.update(!applied);
    }
    // A skipped step moves no bias, and its load is forgotten: a checkpoint has none of it. Without
    // a loss scale such a step ends the run.
    double rate = applied ? auxiliary.biasUpdateRate() : 0;
    ExpertLoads.balance(model.selectionBiases(), groups.whole(), rate);
    DeferredRead before = lastEnd;
    DeferredRead losses = markEnd();
    double optimizerSeconds = (System.nanoTime() - start) * 1e-9;
    return new PendingStep(losses, before, update, counted(batch), optimizerSeconds);
  }

  /**
   * Forgets a step whose launch has failed, so that it can be launched again, in other
   * micro-batches perhaps: all that it has left are sums of gradients, losses and loads. Of several
   * ranks all have to, and to renew their exchange. Not collective.
   *
   * @return whether that could be done; not after its update began to write weights, nor where
   *     gradients go to host memory
   */
  public boolean takeBack() {
    if (!optimizer.takeBack(updating)) {
      return false;
    }
    model.selectionBiases().forEach(bias -> bias.move(0));
    return true;
  }

  /** Lets the time of the next step count from here. Launches, and waits for nothing. */
  public void markStart() {
    markEnd();
  }

  private DeferredRead markEnd() {
    DeferredRead end = lossReads[(int) (launched++ % lossReads.length)];
    end.start(lossSums);
    lastEnd = end;
    return end;
  }

  private Schedule schedule(int microBatches) {
    if (microBatches != scheduledMicroBatches) {
      schedule = pipeline.training(groups.mesh().pipeline(), microBatches);
      scheduledMicroBatches = microBatches;
    }
    return schedule;
  }

  /** What the losses of a step are divided by: its targets, or its pairs. */
  private double counted(StepBatch batch) {
    return preference == null
        ? batch.stepTargets()
        : (double) microBatches(batch) * batch.microBatches().getFirst().rows() / 2;
  }

  /** Those of the whole step, over all ranks, that are not empty. */
  private int microBatches(StepBatch batch) {
    return batch.microBatches().size() * groups.mesh().data() - batch.emptyMicroBatches();
  }

  /** Whether the sums of losses of this rank are counted: those of each token or pair once. */
  private boolean countsLosses() {
    return preference == null ? stage.hasLosses() : stage.countsSequences();
  }

  private PendingOutcome update(double learningRate, double scale, boolean measures) {
    FunctionObserver here = observer;
    if (here == null) {
      updating = true;
      return optimizer.launch(learningRate, scale, measures);
    }
    here.begin(FunctionObserver.Phase.UPDATE, "adamw");
    updating = true;
    PendingOutcome outcome = optimizer.launch(learningRate, scale, measures);
    here.end(FunctionObserver.Phase.UPDATE, "adamw", optimizer.work());
    return outcome;
  }

  /**
   * What a pass is to make small.
   *
   * @param weight of a token or pair: one over how many there are, times the loss scale
   */
  private Objective objective(double weight) {
    return preference == null
        ? new Objective.NextToken(weight, auxiliary.furtherTokensWeight())
        : new Objective.Preference(preference, weight);
  }

  /**
   * The losses of one step: divided by its number of real tokens, or of pairs, over all ranks and
   * micro-batches, so that accumulation does not change gradients.
   */
  private final class Weighted implements MicroBatchLosses {
    private final Objective objective;
    private final double scale;

    /** Of the whole step, that weigh anything. */
    private final int microBatches;

    Weighted(StepBatch batch, double scale) {
      this.objective = TrainingStep.this.objective(scale / counted(batch));
      this.scale = scale;
      this.microBatches = microBatches(batch);
    }

    @Override
    public Objective objective() {
      return objective;
    }

    @Override
    public OptionalLong chance() {
      return dropsOut ? OptionalLong.of(ofStep()) : OptionalLong.empty();
    }

    @Override
    public Optional<Noise> noise() {
      return noise > 0 ? Optional.of(new Noise(noise, ofStep())) : Optional.empty();
    }

    private long ofStep() {
      return ChanceBits.ofUpdate(seed, optimizer.steps());
    }

    @Override
    public @Nullable BalanceLoss balance(MicroBatch batch) {
      if (auxiliary.balanceWeight() == 0) {
        return null;
      }
      long perMicroBatch = auxiliary.balancePerSequence() ? batch.rows() : 1;
      double stretches = (double) perMicroBatch * microBatches;
      long tokens = (long) batch.rows() * batch.length() / perMicroBatch;
      return new BalanceLoss(
          auxiliary.balanceWeight() * scale / stretches, tokens, share(batch, perMicroBatch));
    }

    /** What of the micro-batch this rank's router sees. */
    private BalanceLoss.@Nullable Share share(MicroBatch batch, long stretches) {
      if (stage.rowShares() == 1) {
        return null;
      }
      long rows = (long) batch.rows() * batch.length() / stage.rowShares();
      long ofContext = rows * groups.mesh().tensor();
      return new BalanceLoss.Share(
          stage.tensorRank() * rows,
          ofContext / stretches,
          stretches,
          counts -> groups.sequence().allReduce(counts).join());
    }

    @Override
    public void add(Losses losses) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Variable[] all = losses.all();
        for (int i = 0; i < all.length; i++) {
          Elementwise.addInPlace(Views.narrow(lossSums, 0, i, 1), all[i].value());
        }
        Losses.OfPairs pairs = losses.ofPairs();
        if (pairs != null) {
          Elementwise.addInPlace(
              Views.narrow(lossSums, 0, 1, PreferenceLoss.FIGURES), pairs.figures());
        }
      }
    }
  }

  @Override
  public void close() {
    stage.tokens().close();
    stage.experts().close();
    owned.close();
  }
}
