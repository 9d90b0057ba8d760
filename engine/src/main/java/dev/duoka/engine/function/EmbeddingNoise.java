package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Adds noise to embeddings {@code [n, h]} (NEFTune, Jain et al., arXiv:2310.05914): uniform from −1
 * to 1 times a magnitude, a function of step, token and column alone ({@link TokenChance}).
 */
public final class EmbeddingNoise extends Function {
  /** Elements whose noise is made at once: it takes some tensors of 8 bytes for each. */
  private static final long CHUNK = 4L << 20;

  private final long update;
  private final double magnitude;
  private final Tensor tokens;
  private final long first;

  /**
   * Noise for a pass.
   *
   * @param update what stands for the step of the run ({@link ChanceBits#ofUpdate})
   * @param magnitude the largest noise
   * @param tokens the number within the step of each token that the pass has, int64 {@code [all]};
   *     must outlive the forward pass
   */
  public EmbeddingNoise(long update, double magnitude, Tensor tokens) {
    this(update, magnitude, tokens, 0);
  }

  private EmbeddingNoise(long update, double magnitude, Tensor tokens, long first) {
    this.update = update;
    this.magnitude = magnitude;
    this.tokens = tokens;
    this.first = first;
  }

  /**
   * The magnitude for sequences of a length.
   *
   * @param alpha of the noise
   * @param length tokens of a sequence
   * @param width of an embedding
   */
  public static double magnitude(double alpha, long length, long width) {
    return alpha / Math.sqrt((double) length * width);
  }

  /**
   * The same noise for some of the rows.
   *
   * @param from where their tokens begin among those of the pass
   */
  public EmbeddingNoise ofRows(long from) {
    return new EmbeddingNoise(update, magnitude, tokens, from);
  }

  @Override
  public String name() {
    return "embedding noise";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor x = inputs[0];
    long rows = x.size(0);
    long width = x.size(1);
    long key = ChanceBits.key(ChanceBits.ofName(name()), update);
    Tensor sum = Tensors.empty(x.dtype(), x.device(), rows, width);
    long atOnce = Math.max(1, CHUNK / width);
    for (long row = 0; row < rows; row += atOnce) {
      long count = Math.min(atOnce, rows - row);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor bits =
            TokenChance.of(
                key, Views.narrow(tokens, 0, first + row, count), TokenChance.columns(0, width, x));
        Tensor noise = Copies.cast(noise(bits, x.dtype()), x.dtype());
        Copies.into(
            Views.narrow(sum, 0, row, count),
            Elementwise.add(Views.narrow(x, 0, row, count), noise));
      }
    }
    return new Tensor[] {sum};
  }

  /** The middles of equal stretches from −1 to 1, times the magnitude. */
  private Tensor noise(Tensor bits, Dtype dtype) {
    Tensor uniform = Copies.cast(bits, dtype == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32);
    double stretches = 1L << TokenChance.BITS;
    Elementwise.addInPlace(
        uniform, Tensors.full(0.5 - stretches / 2, uniform.dtype(), bits.device()));
    Elementwise.mulInPlace(uniform, 2 * magnitude / stretches);
    return uniform;
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {only(gradOutputs)};
  }
}
