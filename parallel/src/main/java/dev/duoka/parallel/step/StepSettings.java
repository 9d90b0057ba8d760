package dev.duoka.parallel.step;

import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.plan.UpdateRules;
import org.jspecify.annotations.Nullable;

/**
 * What a training step is made from, the same on every rank.
 *
 * @param model the model's configuration
 * @param precision of weights and activations
 * @param recompute which activations are computed again
 * @param sequenceLength the longest sequence, in tokens
 * @param optimizer the constants of AdamW and of clipping
 * @param zeroStage what of the states is sharded over the ranks with the same weights, 0 to 3
 * @param lossScale of fp16; without effect elsewhere
 * @param auxiliary the losses beside that of the next token
 * @param pipeline how stages are cut and in which order they work, where there are several
 * @param states in which form and where they are kept
 * @param preference what pairs of sequences are compared by; null where the next token is learned
 * @param updates which weights are updated in another way than most
 * @param embeddingNoise α of the noise that embeddings get in training; 0 for none
 * @param dispatcher how tokens get to experts on other ranks
 */
public record StepSettings(
    ModelConfig model,
    Precision precision,
    Recompute recompute,
    int sequenceLength,
    AdamWSettings optimizer,
    int zeroStage,
    LossScaler.Settings lossScale,
    AuxiliaryLosses auxiliary,
    PipelineSettings pipeline,
    StateSettings states,
    PreferenceLoss.@Nullable Terms preference,
    UpdateRules updates,
    double embeddingNoise,
    Dispatcher dispatcher) {
  /** A step with the usual pipeline and states. */
  public StepSettings(
      ModelConfig model,
      Precision precision,
      Recompute recompute,
      int sequenceLength,
      AdamWSettings optimizer,
      int zeroStage,
      LossScaler.Settings lossScale,
      AuxiliaryLosses auxiliary) {
    this(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        PipelineSettings.DEFAULT,
        StateSettings.FULL,
        null,
        UpdateRules.NONE,
        0,
        Dispatcher.AUTO);
  }

  /** The same step in another pipeline. */
  public StepSettings with(PipelineSettings other) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        other,
        states,
        preference,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step at another ZeRO stage. */
  public StepSettings with(int otherZeroStage) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        otherZeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step with another recompute. */
  public StepSettings with(Recompute other) {
    return new StepSettings(
        model,
        precision,
        other,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step with states in another form or place. */
  public StepSettings with(StateSettings other) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        other,
        preference,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step of another model. */
  public StepSettings of(ModelConfig other) {
    return new StepSettings(
        other,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step of pairs of sequences, of which the first is preferred. */
  public StepSettings comparing(PreferenceLoss.Terms terms) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        terms,
        updates,
        embeddingNoise,
        dispatcher);
  }

  /** The same step in which some weights are updated in another way. */
  public StepSettings with(UpdateRules other) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        other,
        embeddingNoise,
        dispatcher);
  }

  /** The same step in which tokens get to experts in another way. */
  public StepSettings with(Dispatcher other) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        updates,
        embeddingNoise,
        other);
  }

  /** The same step with noise on its embeddings. */
  public StepSettings withNoise(double alpha) {
    return new StepSettings(
        model,
        precision,
        recompute,
        sequenceLength,
        optimizer,
        zeroStage,
        lossScale,
        auxiliary,
        pipeline,
        states,
        preference,
        updates,
        alpha,
        dispatcher);
  }

  /**
   * Losses beside that of the next token, and what evens out the experts' load.
   *
   * @param predictionDepth how many modules that predict further tokens are trained
   * @param furtherTokensWeight λ of predicting further tokens
   * @param balanceWeight α of the experts' auxiliary loss; 0 for none
   * @param balancePerSequence whether that loss is taken per sequence or per micro-batch
   * @param biasUpdateRate γ of the experts' selection bias
   */
  public record AuxiliaryLosses(
      int predictionDepth,
      double furtherTokensWeight,
      double balanceWeight,
      boolean balancePerSequence,
      double biasUpdateRate) {
    /** The next token alone. */
    public static final AuxiliaryLosses NONE = new AuxiliaryLosses(0, 0, 0, false, 0);

    /**
     * What the model's configuration says, without modules for further tokens; nothing beside an
     * adapter, which has no use for what balances a router.
     */
    public static AuxiliaryLosses of(ModelConfig model) {
      MoeConfig moe = model.moe();
      return moe == null || model.adapter() != null
          ? NONE
          : new AuxiliaryLosses(0, 0, moe.auxLossAlpha(), moe.sequenceAuxLoss(), 0.001);
    }
  }
}
