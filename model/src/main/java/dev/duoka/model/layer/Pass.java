package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.function.Documents;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.function.Lora;
import dev.duoka.engine.function.LoraDropout;
import dev.duoka.engine.function.OutputProjection;
import dev.duoka.engine.function.RotaryTable;
import dev.duoka.model.weight.Weight;
import org.jspecify.annotations.Nullable;

/**
 * One run through the model.
 *
 * @param tape records the functions
 * @param batch b, the number of sequences
 * @param firstPosition the position of the first token; 0 except when generating
 * @param rotary the rotations of the positions
 * @param cache keys and values of earlier tokens; null except when generating
 * @param balanceLoss the experts' auxiliary loss; null for none
 * @param experts where the experts are
 * @param documents of the batch that do not see each other; null where each sequence is one
 * @param dropout of adapters' inputs; null for none
 * @param weighs whether its tokens count; those of a pass that only fills up change no load
 * @param adapted whether adapters add to their layers
 */
public record Pass(
    Tape tape,
    long batch,
    long firstPosition,
    RotaryTable rotary,
    @Nullable KeyValueCache cache,
    @Nullable BalanceLoss balanceLoss,
    ExpertPlacement experts,
    @Nullable Documents documents,
    @Nullable LoraDropout dropout,
    boolean weighs,
    boolean adapted) {
  /** A training or validation pass over whole sequences, with all experts here. */
  public static Pass overSequences(
      Tape tape, long batch, RotaryTable rotary, @Nullable BalanceLoss balanceLoss) {
    return new Pass(
        tape, batch, 0, rotary, null, balanceLoss, ExpertPlacement.HERE, null, null, true, true);
  }

  /** A pass of the next tokens of sequences, when generating. */
  public static Pass generating(
      Tape tape,
      long batch,
      long firstPosition,
      RotaryTable rotary,
      @Nullable KeyValueCache cache) {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        null,
        ExpertPlacement.HERE,
        null,
        null,
        true,
        true);
  }

  /** The same pass with the experts elsewhere. */
  public Pass with(ExpertPlacement other) {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        balanceLoss,
        other,
        documents,
        dropout,
        weighs,
        adapted);
  }

  /** The same pass on another tape. */
  public Pass on(Tape other) {
    return new Pass(
        other,
        batch,
        firstPosition,
        rotary,
        cache,
        balanceLoss,
        experts,
        documents,
        dropout,
        weighs,
        adapted);
  }

  /** The same pass over documents that do not see each other; null for none. */
  public Pass with(@Nullable Documents apart) {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        balanceLoss,
        experts,
        apart,
        dropout,
        weighs,
        adapted);
  }

  /** The same pass with dropout in adapters; null for none. */
  public Pass with(@Nullable LoraDropout other) {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        balanceLoss,
        experts,
        documents,
        other,
        weighs,
        adapted);
  }

  /** The same pass of tokens that weigh nothing. */
  public Pass withoutWeight() {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        null,
        experts,
        documents,
        dropout,
        false,
        adapted);
  }

  /** The same pass through the model without its adapters. */
  public Pass withoutAdapters() {
    return new Pass(
        tape,
        batch,
        firstPosition,
        rotary,
        cache,
        balanceLoss,
        experts,
        documents,
        null,
        weighs,
        false);
  }

  /** The adapter of a weight in this pass; null for none. */
  @Nullable Lora lora(Weight weight) {
    return adapted ? weight.lora() : null;
  }

  /** The dropout of an adapter's inputs in this pass; null for none. */
  @Nullable LoraDropout dropout(@Nullable Lora lora) {
    return lora == null || lora.keep() == 1 ? null : dropout;
  }

  /** The output head of the model in this pass. */
  public OutputProjection projection(Weight head) {
    Lora lora = lora(head);
    return new OutputProjection(head.parameter(), lora, dropout(lora));
  }
}
