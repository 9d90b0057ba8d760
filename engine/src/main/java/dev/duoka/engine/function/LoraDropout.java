package dev.duoka.engine.function;

import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Views;

/**
 * Leaves out some inputs of an adapter at random (Srivastava et al., JMLR 15, 2014): which ones is
 * a function of seed, step, the adapter's name and the element's place in the whole input of the
 * step, so it is the same wherever a token and a feature are computed, and when they are computed
 * again.
 *
 * @param update what stands for the step of the run ({@link ChanceBits#ofUpdate})
 * @param tokens the number within the step of each token that the pass has, int64 {@code [all]};
 *     must outlive the backward pass
 * @param first where the rows' tokens begin among them
 * @param rows how many they are, n
 */
public record LoraDropout(long update, Tensor tokens, long first, long rows) {
  /** Of a layer that sees all tokens of the pass. */
  public LoraDropout(long update, Tensor tokens) {
    this(update, tokens, 0, tokens.size(0));
  }

  /** Of a layer that sees some of them. */
  public LoraDropout ofRows(long from, long count) {
    return new LoraDropout(update, tokens, from, count);
  }

  /** {@code x [n, in]} with what is left out as zeros and the rest divided by what is kept. */
  Tensor apply(Tensor x, Lora lora) {
    Tensor kept = Copies.cast(Elementwise.atLeast(choices(lora), limit(lora.keep())), x.dtype());
    Elementwise.mulInPlace(kept, x);
    Elementwise.mulInPlace(kept, 1 / lora.keep());
    return kept;
  }

  private static double limit(double keep) {
    return Math.rint((1 - keep) * (1L << TokenChance.BITS));
  }

  /** Numbers of {@link TokenChance}, int64 {@code [n, in]}. */
  private Tensor choices(Lora lora) {
    long key = ChanceBits.key(ChanceBits.ofName(lora.down().name() + " dropout"), update);
    return TokenChance.of(key, Views.narrow(tokens, 0, first, rows), columns(lora));
  }

  /** The number of each column among those of the whole input, from 1, int64 {@code [in]}. */
  private static Tensor columns(Lora lora) {
    Portion portion = lora.down().spec().portion();
    boolean cut = portion.dimension() > 0;
    if (cut && portion.stretches().size() > 1) {
      throw new IllegalStateException(lora.down() + " is cut by columns into several stretches");
    }
    long first = cut ? portion.stretches().getFirst().from() : 0;
    Tensor value = lora.down().value();
    return TokenChance.columns(first, value.size(-1), value);
  }
}
