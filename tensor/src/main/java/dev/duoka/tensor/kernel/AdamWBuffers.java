package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
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

  /** The weights in full precision, which these buffers lend: it is not to be closed. */
  public MasterBuffer masters() {
    return new MasterBuffer(values, master);
  }

  /** Whether weights and a remainder beside them are the masters. */
  public boolean hasRemainders() {
    return master != null && master.dtype() == Dtype.INT16;
  }

  /** Whether weights of 16 bits are updated themselves. */
  public boolean roundsValues() {
    return master == null && values.dtype() == Dtype.BFLOAT16;
  }
}
