package dev.duoka.engine.function;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import java.util.function.UnaryOperator;

/**
 * The most likely token after one place of each sequence: hidden states {@code [b·t, h]} give fp64
 * {@code [b]}. The place is where a sequence's only target is, whatever it is. Has no gradient.
 */
public final class NextToken extends HeadFunction {
  private final Tensor places;
  private final long sequences;
  private final UnaryOperator<Tensor> summed;

  /**
   * A choice.
   *
   * @param places int64 {@code [b·t]}, {@link TokenCrossEntropy#IGNORED} but at one place of each
   *     sequence; it must outlive the pass
   * @param sequences b
   */
  public NextToken(OutputProjection projection, Tensor places, long sequences) {
    this(new WholeVocabulary(projection), places, sequences, UnaryOperator.identity());
  }

  private NextToken(
      TokenCrossEntropy tokens, Tensor places, long sequences, UnaryOperator<Tensor> summed) {
    super(tokens);
    this.places = places;
    this.sequences = sequences;
    this.summed = summed;
  }

  @Override
  public NextToken over(TokenCrossEntropy other) {
    return new NextToken(other, places, sequences, summed);
  }

  /** The same choice where other ranks have other tokens of the sequences. */
  public NextToken summing(UnaryOperator<Tensor> overRanks) {
    return new NextToken(tokens(), places, sequences, overRanks);
  }

  @Override
  public String name() {
    return "most likely token";
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2.0 * sequences * inputs[0].size(1) * weight().value().size(0);
  }

  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    return phase == Phase.FORWARD
        ? projection().bytesBeside(inputs[0], (double) sequences, phase)
        : 0;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor marked =
        Copies.cast(Elementwise.atLeast(Views.reshape(places, sequences, -1), 0), Dtype.FLOAT64);
    Tensor here = Views.reshape(Reductions.max(marked, false, 1), sequences);
    long length = marked.size(1);
    double[] starts = new double[Math.toIntExact(sequences)];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = (double) i * length;
    }
    // Rows by number: the place within the sequence, behind those of the sequences before.
    Tensor within = Copies.cast(Reductions.argmax(marked, 1), Dtype.FLOAT64);
    Tensor rows = Copies.cast(Elementwise.add(within, offsets(starts, marked)), Dtype.INT64);
    Tensor chosen = tokens().mostLikely(Indexing.rows(inputs[0], rows));
    // Where the place is on another rank, that rank says what is chosen.
    return new Tensor[] {summed.apply(Elementwise.mul(Copies.cast(chosen, Dtype.FLOAT64), here))};
  }

  private static Tensor offsets(double[] starts, Tensor like) {
    return HostCopy.fromDoubles(starts, Dtype.FLOAT64, like.device(), starts.length);
  }
}
