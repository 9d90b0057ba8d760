package dev.duoka.layout;

/**
 * In which form a step keeps what it needs beside the weights. In bf16 it is 16 bytes a weight in
 * the fullest form and 6 in the smallest, the weight itself included.
 *
 * @param moments of the optimizer
 * @param masterWeights whether weights of 16 bits have masters in fp32, of which bf16 leaves two
 *     bytes beside each weight; without, updates are rounded up or down by chance, so that small
 *     ones count on average
 * @param gradients of the layers
 */
public record StateForm(MomentForm moments, boolean masterWeights, GradientForm gradients) {
  /** Everything in fp32. */
  public static final StateForm FULL = new StateForm(MomentForm.FP32, true, GradientForm.FP32);

  /** Bytes of a weight of a layer with everything that belongs to it, scales included. */
  public double bytesPerWeight(Precision precision) {
    if (precision == Precision.FP64) {
      return 4 * precision.bytes();
    }
    double scales = moments == MomentForm.BITS8 ? 2 * 4.0 / MomentForm.BLOCK : 0;
    return precision.bytes()
        + (gradients == GradientForm.BF16 ? 2 : 4)
        + masterBytes(precision)
        + 2 * moments.bytes()
        + scales;
  }

  /** Bytes of a master beside its weight: of bf16 what that leaves, of fp16 a copy. */
  private int masterBytes(Precision precision) {
    if (!keepsMasterOf(precision)) {
      return 0;
    }
    return precision == Precision.FP16 ? 4 : 2;
  }

  /** Whether weights of this precision have masters. */
  public boolean keepsMasterOf(Precision precision) {
    return masterWeights && precision.hasMasterWeights();
  }

  /** For example {@code bf16 moments, no master weights}; empty for the fullest. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (moments != MomentForm.FP32) {
      text.append(moments).append(" moments");
    }
    if (!masterWeights) {
      text.append(text.isEmpty() ? "" : ", ").append("no master weights");
    }
    if (gradients != GradientForm.FP32) {
      text.append(text.isEmpty() ? "" : ", ").append(gradients).append(" gradients");
    }
    return text.toString();
  }
}
