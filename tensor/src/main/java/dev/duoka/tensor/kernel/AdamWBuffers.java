package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * What an update of AdamW reads and writes, all of one length and on one device.
 *
 * @param values the weights in the compute dtype, {@code [n]}
 * @param master {@code [n]}: fp32, or int16 and what weights in bf16 leave ({@link MasterBuffer});
 *     null where there is none
 * @param gradients fp32 or bf16, {@code [n]}
 * @param firstMoment fp32, bf16 or 8 bits, {@code [n]}
 * @param firstScales fp32 {@code [n / 128]}; null unless there are 8 bits
 * @param secondMoment like the first
 * @param secondScales likewise
 */
public record AdamWBuffers(
    Tensor values,
    @Nullable Tensor master,
    Tensor gradients,
    Tensor firstMoment,
    @Nullable Tensor firstScales,
    Tensor secondMoment,
    @Nullable Tensor secondScales) {
  /** Whether moments, weights or gradients are kept in fewer bits than usual. */
  public boolean areNarrow() {
    return firstScales != null
        || firstMoment.dtype() == Dtype.BFLOAT16
        || gradients.dtype() == Dtype.BFLOAT16
        || roundsValues();
  }

  /** The weights in full precision; the buffers are lent, so it is not to be closed. */
  public MasterBuffer masters() {
    return new MasterBuffer(values, master);
  }

  /** Whether weights and a remainder beside them are the masters. */
  public boolean hasRemainders() {
    return master != null && master.dtype() == Dtype.INT16;
  }

  /**
   * Views of a part of all, each where it is.
   *
   * @param start in elements; a multiple of 128, as is {@code length}
   */
  public AdamWBuffers part(long start, long length) {
    long firstBlock = start / AdamWKernel.BLOCK;
    long blocks = length / AdamWKernel.BLOCK;
    return new AdamWBuffers(
        Views.narrow(values, 0, start, length),
        narrow(master, start, length),
        Views.narrow(gradients, 0, start, length),
        Views.narrow(firstMoment, 0, start, length),
        narrow(firstScales, firstBlock, blocks),
        Views.narrow(secondMoment, 0, start, length),
        narrow(secondScales, firstBlock, blocks));
  }

  private static @Nullable Tensor narrow(@Nullable Tensor tensor, long start, long length) {
    return tensor == null ? null : Views.narrow(tensor, 0, start, length);
  }

  /** Whether weights of 16 bits are updated themselves. */
  public boolean roundsValues() {
    return master == null && values.dtype() == Dtype.BFLOAT16;
  }
}
