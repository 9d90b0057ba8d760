package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Concatenate;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;

/**
 * A module that predicts one token further (DeepSeek-V3, arXiv:2412.19437 §2.2): it joins the
 * hidden state of a token with the embedding of the next one and runs one more decoder layer.
 * Embedding and output head are the main model's.
 *
 * <p>In the checkpoint it is the layer after the last one, and the embedding comes first in the
 * joint vector, as in DeepSeek's released weights.
 */
public final class MultiTokenPrediction {
  private final Weight embeddingNorm;
  private final Weight hiddenNorm;
  private final Weight projection;
  private final DecoderLayer layer;
  private final Weight outputNorm;
  private final double epsilon;

  /** Declares the weights under the checkpoint's {@code prefix}. */
  public MultiTokenPrediction(
      WeightDeclarations weights,
      String prefix,
      long hiddenSize,
      double epsilon,
      DecoderLayer.PartFactory<DecoderLayer> layer) {
    this.epsilon = epsilon;
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    embeddingNorm = weights.scale(prefix + "enorm.weight", hidden);
    hiddenNorm = weights.scale(prefix + "hnorm.weight", hidden);
    projection =
        weights.matrix(prefix + "eh_proj.weight", hidden, Section.of(Axis.HIDDEN, 2 * hiddenSize));
    this.layer = layer.create(weights, prefix);
    outputNorm = weights.scale(prefix + "shared_head.norm.weight", hidden);
  }

  /** The decoder layer inside. */
  public DecoderLayer layer() {
    return layer;
  }

  /**
   * {@code [n, h] → [n, h]}, ready for the output head.
   *
   * @param hidden the main model's normalised hidden states
   * @param nextEmbedding the embedding of each position's next token
   */
  public Variable apply(Pass pass, Variable hidden, Variable nextEmbedding) {
    Tape tape = pass.tape();
    Variable joint =
        tape.scoped(
            hidden,
            h ->
                tape.apply(
                    new Linear(projection.parameter()),
                    tape.apply(
                        new Concatenate(),
                        tape.apply(new RmsNorm(embeddingNorm.parameter(), epsilon), nextEmbedding),
                        tape.apply(new RmsNorm(hiddenNorm.parameter(), epsilon), h))));
    Variable output = layer.apply(pass, joint);
    return tape.apply(new RmsNorm(outputNorm.parameter(), epsilon), output);
  }
}
