package dev.duoka.engine.function;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.function.UnaryOperator;

/**
 * Direct preference optimisation (Rafailov et al., arXiv:2305.18290 equation 7; with label
 * smoothing, arXiv:2310.12036's cDPO): hidden states {@code [2p·t, h]} of p pairs of sequences, the
 * chosen one first, give
 *
 * <pre>
 *   z    = β·((log π(chosen) − log π_ref(chosen)) − (log π(rejected) − log π_ref(rejected)))
 *   loss = Σ over pairs of −(1−ε)·log σ(z) − ε·log σ(−z) + w·(−log π(chosen) / tokens of chosen)
 * </pre>
 *
 * as fp32 {@code [1]}, where log π of a sequence is the sum over its targets, in fp64: the
 * difference of two large sums is what counts. A pair without targets, which fills up a
 * micro-batch, counts for nothing.
 *
 * <p>Further outputs, which carry no gradient: {@link #FIGURES} sums over pairs {@code [4]}, and
 * {@code log π} of each sequence, fp64 {@code [2p]}.
 *
 * <p>The gradient of a token depends on all tokens of its pair, so the logits are computed twice; a
 * frozen head's once, for then the gradient of the hidden states can be scaled afterwards.
 */
public final class PreferenceLoss extends HeadFunction {
  /**
   * How many figures there are: sums over pairs of the reward β·(log π − log π_ref) of the chosen
   * sequence, of that of the rejected one, of 1 where the first is larger, and of the loss of the
   * chosen sequence for each of its tokens.
   */
  public static final int FIGURES = 4;

  /**
   * What is preferred, and how strongly.
   *
   * @param beta β: how dearly leaving the reference is paid for
   * @param labelSmoothing ε: how often pairs are thought to be the wrong way round, in [0, 0.5)
   * @param chosenWeight w: the weight of the chosen sequence's own mean cross-entropy
   */
  public record Terms(double beta, double labelSmoothing, double chosenWeight) {}

  /**
   * What of a micro-batch is compared.
   *
   * @param targets int64 {@code [2p·t]}, of the tokens that are here
   * @param references log π_ref of each sequence, fp64 {@code [2p]}
   * @param summed adds fp64 {@code [2, 2p]} up over the ranks that have other tokens of the
   *     sequences
   */
  public record Pairs(Tensor targets, Tensor references, UnaryOperator<Tensor> summed) {}

  private final Pairs pairs;
  private final Terms terms;
  private final double gradientScale;

  /**
   * A loss of pairs, whose tensors must outlive the forward pass.
   *
   * @param gradientScale what every gradient is multiplied by: one over the number of pairs of the
   *     step, times the loss scale
   */
  public PreferenceLoss(
      OutputProjection projection, Pairs pairs, Terms terms, double gradientScale) {
    this(new WholeVocabulary(projection), pairs, terms, gradientScale);
  }

  PreferenceLoss(TokenCrossEntropy tokens, Pairs pairs, Terms terms, double gradientScale) {
    super(tokens);
    this.pairs = pairs;
    this.terms = terms;
    this.gradientScale = gradientScale;
  }

  @Override
  public PreferenceLoss over(TokenCrossEntropy other) {
    return new PreferenceLoss(other, pairs, terms, gradientScale);
  }

  /** The same loss of sequences of which other ranks have other tokens. */
  public PreferenceLoss summing(UnaryOperator<Tensor> summed) {
    return new PreferenceLoss(
        tokens(), new Pairs(pairs.targets(), pairs.references(), summed), terms, gradientScale);
  }

  @Override
  public String name() {
    return "preference loss";
  }

  /** As the other losses', with the logits of a trained head once more. */
  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    double logits = 2.0 * inputs[0].elements() * weight().value().size(0);
    return super.flops(inputs, outputs) + (projection().isTrained() ? logits : 0);
  }

  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    double again =
        phase == Phase.FORWARD
            ? projection().bytesBeside(inputs[0], (double) inputs[0].size(0), phase)
            : 0;
    return super.bytesBeside(phase, inputs, outputs) + again;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor hidden = inputs[0];
    long sequences = pairs.references().size(0);
    if (sequences % 2 != 0 || hidden.size(0) % sequences != 0) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "hidden states " + hidden + " are not those of pairs of " + sequences + " sequences",
          "");
    }
    boolean once = saved.isRecording() && !projection().isTrained();
    Tensor losses = Tensors.empty(TokenCrossEntropy.wide(hidden), hidden.device(), hidden.size(0));
    TokenCrossEntropy.LossConsumer keeping =
        (start, chunk) -> Copies.into(Views.narrow(losses, 0, start, chunk.size(0)), chunk);
    Tensor gradient = null;
    if (once) {
      gradient = tokens().runWithGradients(hidden, pairs.targets(), new RowScale.Same(1), keeping);
    } else {
      tokens().run(hidden, pairs.targets(), keeping);
    }
    Compared compared = compare(losses, sequences);
    if (gradient != null) {
      Tensor scale = Copies.cast(rows(compared, hidden), hidden.dtype());
      Elementwise.mulInPlace(gradient, Views.reshape(scale, -1, 1));
      save(saved, gradient);
    } else if (saved.isRecording()) {
      RowScale scale = new RowScale.Each(rows(compared, hidden));
      save(saved, tokens().runWithGradients(hidden, pairs.targets(), scale, (_, _) -> {}));
    }
    return new Tensor[] {compared.loss(), compared.figures(), compared.logProbabilities()};
  }

  /**
   * What the pairs come to.
   *
   * @param scales of the gradients of the losses of each sequence's tokens, {@code [2p]}
   */
  private record Compared(Tensor loss, Tensor figures, Tensor logProbabilities, Tensor scales) {}

  private Compared compare(Tensor losses, long sequences) {
    Dtype exact = Dtype.FLOAT64;
    Tensor counts = Copies.cast(Elementwise.atLeast(pairs.targets(), 0), exact);
    Tensor log = Copies.cast(Elementwise.neg(losses), exact);
    Tensor sums =
        pairs
            .summed()
            .apply(
                Copies.concatenate(0, bySequence(log, sequences), bySequence(counts, sequences)));
    Tensor logProbabilities = Views.reshape(Views.narrow(sums, 0, 0, 1), sequences);
    Tensor tokens = Views.reshape(Views.narrow(sums, 0, 1, 1), -1, 2);
    // Of a pair that fills up: nothing is divided by 0, and nothing counts.
    Tensor real = Copies.cast(Elementwise.atLeast(column(tokens, 0), 1), exact);
    Tensor chosenTokens =
        Elementwise.add(column(tokens, 0), Elementwise.add(Elementwise.neg(real), 1));

    Tensor rewards =
        Views.reshape(
            Elementwise.mul(
                Elementwise.add(logProbabilities, pairs.references(), -1), terms.beta()),
            -1,
            2);
    Tensor z = Elementwise.add(column(rewards, 0), column(rewards, 1), -1);
    Tensor zero = Elementwise.mul(z, 0);
    // log σ(z) and log σ(−z) are the log-softmax of (z, 0), which neither end overflows.
    Tensor logs = Activations.logSoftmax(Copies.concatenate(1, z, zero));
    double kept = 1 - terms.labelSmoothing();
    Tensor ofPreference =
        Elementwise.neg(
            Elementwise.add(
                Elementwise.mul(column(logs, 0), kept), column(logs, 1), terms.labelSmoothing()));
    Tensor ofChosen =
        Elementwise.neg(
            Elementwise.div(column(Views.reshape(logProbabilities, -1, 2), 0), chosenTokens));
    Tensor loss =
        total(Elementwise.mul(Elementwise.add(ofPreference, ofChosen, terms.chosenWeight()), real));
    Tensor larger = Copies.cast(Elementwise.less(zero, z), exact);
    Tensor figures =
        Copies.concatenate(
            0,
            total(Elementwise.mul(column(rewards, 0), real)),
            total(Elementwise.mul(column(rewards, 1), real)),
            total(Elementwise.mul(larger, real)),
            total(Elementwise.mul(ofChosen, real)));

    // d loss / d (−log π(chosen)) = β·(1 − ε − σ(z)) + w / tokens; of rejected the first, negated.
    Tensor pull =
        Elementwise.mul(
            Elementwise.add(Elementwise.neg(Elementwise.exp(column(logs, 0))), kept), terms.beta());
    Tensor one = Elementwise.add(zero, 1);
    Tensor ofChosenTokens =
        Elementwise.add(pull, Elementwise.div(one, chosenTokens), terms.chosenWeight());
    Tensor scales =
        Elementwise.mul(
            Elementwise.mul(Copies.concatenate(1, ofChosenTokens, Elementwise.neg(pull)), real),
            gradientScale);
    Dtype wide = losses.dtype();
    return new Compared(
        Copies.cast(loss, wide),
        Copies.cast(figures, wide),
        logProbabilities,
        Copies.cast(Views.reshape(scales, -1), wide));
  }

  /** {@code [2p·t] → [1, 2p]}. */
  private static Tensor bySequence(Tensor values, long sequences) {
    return Views.reshape(
        Reductions.sum(Views.reshape(values, sequences, -1), 1, false), 1, sequences);
  }

  /** {@code [p, 2] → [p, 1]}. */
  private static Tensor column(Tensor pairs, long index) {
    return Copies.dense(Views.narrow(pairs, 1, index, 1));
  }

  private static Tensor total(Tensor values) {
    return Views.reshape(Reductions.sum(values), 1);
  }

  /** The scale of each row, {@code [2p] → [2p·t]}. */
  private static Tensor rows(Compared compared, Tensor hidden) {
    long sequences = compared.scales().size(0);
    Tensor column = Views.reshape(compared.scales(), sequences, 1);
    return Views.reshape(
        Copies.dense(Views.expand(column, 1, hidden.size(0) / sequences)), hidden.size(0));
  }
}
