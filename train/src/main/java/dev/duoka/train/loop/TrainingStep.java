package dev.duoka.train.loop;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.optimizer.PendingOutcome;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.optimizer.StepOutcome;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.Losses;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One optimizer step of one rank: micro-batches forward and backward, then the update. */
final class TrainingStep implements AutoCloseable {
  /**
   * What does not change from step to step.
   *
   * @param recompute which activations are computed again
   * @param furtherTokensWeight λ of predicting further tokens
   * @param balanceWeight α of the experts' auxiliary loss; 0 for none
   * @param balancePerSequence whether that loss is taken per sequence or per micro-batch
   * @param biasUpdateRate γ of the experts' selection bias
   */
  record Settings(
      Recompute recompute,
      double furtherTokensWeight,
      double balanceWeight,
      boolean balancePerSequence,
      double biasUpdateRate) {}

  /**
   * What a step gave.
   *
   * @param loss mean cross-entropy of the next token over all ranks
   * @param furtherLoss mean cross-entropy of further tokens; NaN where there are none
   */
  record Result(
      double loss,
      double furtherLoss,
      StepOutcome outcome,
      double forwardSeconds,
      double backwardSeconds,
      double optimizerSeconds) {}

  /** A step that was launched and may not have ended. */
  final class Pending {
    private final DeferredRead losses;
    private final PendingOutcome update;
    private final double targets;
    private final double forwardSeconds;
    private final double backwardSeconds;
    private final double optimizerSeconds;

    private Pending(
        DeferredRead losses,
        PendingOutcome update,
        double targets,
        double forwardSeconds,
        double backwardSeconds,
        double optimizerSeconds) {
      this.losses = losses;
      this.update = update;
      this.targets = targets;
      this.forwardSeconds = forwardSeconds;
      this.backwardSeconds = backwardSeconds;
      this.optimizerSeconds = optimizerSeconds;
    }

    /**
     * What the step gave; waits for it, and counts that as the optimizer's time. Collective. To be
     * called once, before the next but one step is launched.
     */
    Result await() {
      long start = System.nanoTime();
      StepOutcome outcome = update.await();
      double[] sums = losses.await();
      collectives.allReduce(sums);
      double waited = (System.nanoTime() - start) * 1e-9;
      double further = 0;
      for (int depth = 1; depth < sums.length; depth++) {
        further += sums[depth] / (sums.length - 1);
      }
      return new Result(
          sums[0] / targets,
          sums.length == 1 ? Double.NaN : further / targets,
          outcome,
          forwardSeconds,
          backwardSeconds,
          optimizerSeconds + waited);
    }
  }

  private final LanguageModel model;
  private final ShardedAdamW optimizer;
  private final LossScaler scaler;
  private final Collectives collectives;
  private final Device device;
  private final Settings settings;
  private final Tensor lossSums;
  private final DeferredRead[] lossReads = new DeferredRead[2];
  private long launched;
  private @Nullable FunctionObserver observer;

  TrainingStep(
      LanguageModel model,
      ShardedAdamW optimizer,
      LossScaler scaler,
      Collectives collectives,
      Settings settings) {
    this.model = model;
    this.optimizer = optimizer;
    this.scaler = scaler;
    this.collectives = collectives;
    this.settings = settings;
    Tensor values = model.parameters().values();
    this.device = values.device();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      lossSums =
          Scope.detach(
              Tensors.zeros(
                  model.parameters().gradients().dtype(), device, 1 + model.predictionDepth()));
    }
    for (int i = 0; i < lossReads.length; i++) {
      lossReads[i] = new DeferredRead(device, lossSums.dtype(), 1 + model.predictionDepth());
    }
  }

  /** Lets {@code observer} see the steps that follow; null for nobody. */
  void observe(@Nullable FunctionObserver observer) {
    this.observer = observer;
  }

  /** As {@link #launch}, and waits for its end. Collective. */
  Result run(StepBatch batch, double learningRate, Runnable beforeUpdate) {
    return launch(batch, learningRate, beforeUpdate).await();
  }

  /**
   * Launches the step. Collective. Waits for the device only where the loss scale of the next step
   * depends on this one.
   *
   * @param beforeUpdate runs when this rank's gradients are complete and not yet reduced
   */
  Pending launch(StepBatch batch, double learningRate, Runnable beforeUpdate) {
    model.parameters().resetGradients();
    Tensors.zero(lossSums);
    double scale = scaler.scale();
    long microBatches = batch.microBatches().size();
    LossWeights weights =
        new LossWeights(scale / batch.stepTargets(), settings.furtherTokensWeight());
    double forward = 0;
    double backward = 0;
    for (MicroBatch microBatch : batch.microBatches()) {
      long start = System.nanoTime();
      try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
          TokenBatch tokens = onDevice(microBatch);
          Tape tape = Tape.recording(settings.recompute())) {
        tape.observeWith(observer);
        BalanceLoss balance = balance(microBatch, microBatches, scale);
        Pass pass = Pass.overSequences(tape, microBatch.rows(), model.rotary(), balance);
        Losses losses = model.losses(pass, tokens, weights);
        addLosses(losses);
        long middle = System.nanoTime();
        tape.backward(losses.all());
        forward += (middle - start) * 1e-9;
        backward += (System.nanoTime() - middle) * 1e-9;
      }
    }
    long start = System.nanoTime();
    model.parameters().zeroUntouchedGradients();
    beforeUpdate.run();
    PendingOutcome update = update(learningRate, scale);
    boolean applied = true;
    if (scaler.isEnabled()) {
      StepOutcome outcome = update.await();
      update = () -> outcome;
      applied = outcome.applied();
      scaler.update(!applied);
    }
    // A skipped step moves no bias, and its load is forgotten: a checkpoint has none of it. Without
    // a loss scale such a step ends the run.
    double rate = applied ? settings.biasUpdateRate() : 0;
    model.selectionBiases().forEach(bias -> bias.update(rate, collectives));
    DeferredRead losses = lossReads[(int) (launched++ % lossReads.length)];
    losses.start(lossSums);
    double optimizerSeconds = (System.nanoTime() - start) * 1e-9;
    return new Pending(losses, update, batch.stepTargets(), forward, backward, optimizerSeconds);
  }

  private PendingOutcome update(double learningRate, double scale) {
    FunctionObserver here = observer;
    if (here == null) {
      return optimizer.launch(learningRate, scale);
    }
    here.begin(FunctionObserver.Phase.UPDATE, "adamw");
    PendingOutcome outcome = optimizer.launch(learningRate, scale);
    here.end(FunctionObserver.Phase.UPDATE, "adamw", optimizer.work());
    return outcome;
  }

  /** The sum of cross-entropies and the number of targets of micro-batches, without gradients. */
  double[] evaluate(int count, Supplier<MicroBatch> next) {
    double[] sumAndTargets = new double[2];
    for (int i = 0; i < count; i++) {
      MicroBatch microBatch = next.get();
      try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
          TokenBatch tokens =
              new TokenBatch(
                  microBatch.tokens(), microBatch.targets(), microBatch.rows(), 0, device);
          Tape tape = Tape.inference()) {
        Pass pass = Pass.overSequences(tape, microBatch.rows(), model.rotary(), null);
        Variable loss = model.losses(pass, tokens, LossWeights.NONE).next();
        sumAndTargets[0] += HostCopy.item(loss.value());
        sumAndTargets[1] += microBatch.realTargets();
      }
    }
    collectives.allReduce(sumAndTargets);
    return sumAndTargets;
  }

  private TokenBatch onDevice(MicroBatch batch) {
    return new TokenBatch(
        batch.tokens(), batch.targets(), batch.rows(), model.predictionDepth(), device);
  }

  private void addLosses(Losses losses) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Variable[] all = losses.all();
      for (int i = 0; i < all.length; i++) {
        Elementwise.addInPlace(Views.narrow(lossSums, 0, i, 1), all[i].value());
      }
    }
  }

  private @Nullable BalanceLoss balance(MicroBatch batch, long microBatches, double scale) {
    if (settings.balanceWeight() == 0) {
      return null;
    }
    long stretchesPerMicroBatch = settings.balancePerSequence() ? batch.rows() : 1;
    double stretches = (double) stretchesPerMicroBatch * microBatches * collectives.size();
    long tokens = (long) batch.rows() * batch.length() / stretchesPerMicroBatch;
    return new BalanceLoss(settings.balanceWeight() * scale / stretches, tokens);
  }

  @Override
  public void close() {
    lossSums.close();
    for (DeferredRead read : lossReads) {
      read.close();
    }
  }
}
