package dev.duoka.experiment.verdict;

/** What two arms are compared by. */
public enum Quantity {
  /** Tokens a second. */
  SPEED("speed", true),
  /** Bytes of tensors at the peak, of the rank that needs most. */
  MEMORY("memory", false),
  /** The loss on the same batches. */
  LOSS("loss", false),
  /** The norm of the gradient, on the same batches. */
  GRADIENT_NORM("gradient norm", false);

  private final String words;
  private final boolean moreIsBetter;

  Quantity(String words, boolean moreIsBetter) {
    this.words = words;
    this.moreIsBetter = moreIsBetter;
  }

  /** Whether a larger value is the better one. */
  public boolean moreIsBetter() {
    return moreIsBetter;
  }

  /** Its name for people. */
  @Override
  public String toString() {
    return words;
  }
}
