package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;

/** A transformer layer with the norms before its parts: attention, then feed-forward. */
public final class DecoderLayer {
  private final Weight attentionNorm;
  private final SelfAttention attention;
  private final Weight feedForwardNorm;
  private final FeedForward feedForward;
  private final double epsilon;

  /** Makes the parts of a layer, which declare their weights. */
  @FunctionalInterface
  public interface PartFactory<T> {
    /** Declares the weights of the part under the checkpoint's {@code prefix}. */
    T create(WeightDeclarations weights, String prefix);
  }

  /** Declares the weights under the checkpoint's {@code prefix}, in the order of use. */
  public DecoderLayer(
      WeightDeclarations weights,
      String prefix,
      long hiddenSize,
      double epsilon,
      PartFactory<? extends SelfAttention> attention,
      PartFactory<? extends FeedForward> feedForward) {
    this.epsilon = epsilon;
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    this.attentionNorm = weights.scale(prefix + "input_layernorm.weight", hidden);
    this.attention = attention.create(weights, prefix + "self_attn.");
    this.feedForwardNorm = weights.scale(prefix + "post_attention_layernorm.weight", hidden);
    this.feedForward = feedForward.create(weights, prefix + "mlp.");
  }

  /** The feed-forward part. */
  public FeedForward feedForward() {
    return feedForward;
  }

  /** {@code [n, h] → [n, h]}; a block of the tape, the unit of full recompute. */
  public Variable apply(Pass pass, Variable hidden) {
    return pass.tape()
        .block(
            hidden,
            (tape, input) -> {
              Pass here = pass.on(tape);
              Variable middle =
                  tape.scoped(input, x -> attention.addTo(x, here, normed(tape, attentionNorm, x)));
              return tape.scoped(
                  middle, x -> feedForward.addTo(x, here, normed(tape, feedForwardNorm, x)));
            });
  }

  private Variable normed(Tape tape, Weight weight, Variable x) {
    return tape.apply(new RmsNorm(weight.parameter(), epsilon), x);
  }
}
