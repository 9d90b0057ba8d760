package dev.duoka.engine.function;

import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.kernel.DropoutKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
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
  /** Elements that are chosen at once without a kernel: some tensors of 8 bytes for each. */
  private static final long CHUNK = 4L << 20;

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
    Tensor kept = Tensors.empty(x.dtype(), x.device(), x.shape());
    if (DropoutKernel.take(x)) {
      DropoutKernel.run(
          x,
          Views.narrow(tokens, 0, first, rows),
          kept,
          new DropoutKernel.Choice(
              key(lora), firstColumn(lora) + 1, Math.round(limit(lora.keep())), 1 / lora.keep()));
      return kept;
    }
    long atOnce = Math.max(1, CHUNK / x.size(1));
    for (long row = 0; row < rows; row += atOnce) {
      long count = Math.min(atOnce, rows - row);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor part = Views.narrow(kept, 0, row, count);
        Copies.into(part, Elementwise.atLeast(choices(lora, row, count), limit(lora.keep())));
        Elementwise.mulInPlace(part, Views.narrow(x, 0, row, count));
        Elementwise.mulInPlace(part, 1 / lora.keep());
      }
    }
    return kept;
  }

  private static double limit(double keep) {
    return Math.rint((1 - keep) * (1L << TokenChance.BITS));
  }

  private long key(Lora lora) {
    return ChanceBits.key(ChanceBits.ofName(lora.down().name() + " dropout"), update);
  }

  /** Numbers of {@link TokenChance} of some rows, int64 {@code [count, in]}. */
  private Tensor choices(Lora lora, long row, long count) {
    Tensor value = lora.down().value();
    return TokenChance.of(
        key(lora),
        Views.narrow(tokens, 0, first + row, count),
        TokenChance.columns(firstColumn(lora), value.size(-1), value));
  }

  /** The place of the first column that is here among those of the whole input, from 0. */
  private static long firstColumn(Lora lora) {
    Portion portion = lora.down().spec().portion();
    boolean cut = portion.dimension() > 0;
    if (cut && portion.stretches().size() > 1) {
      throw new IllegalStateException(lora.down() + " is cut by columns into several stretches");
    }
    return cut ? portion.stretches().getFirst().from() : 0;
  }
}
