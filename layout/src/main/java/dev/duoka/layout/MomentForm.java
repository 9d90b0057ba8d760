package dev.duoka.layout;

/** In how many bits an optimizer keeps its two moments. */
public enum MomentForm {
  /** 32 bits: updates lose nothing. 8 bytes of a weight. */
  FP32("fp32", 4),
  /** bf16, as DeepSeek-V3 (arXiv:2412.19437 §3.3.2), rounded up or down by chance. 4 bytes. */
  BF16("bf16", 2),
  /**
   * 8 bits for each number and the largest of each {@value #BLOCK} neighbours in fp32, as in
   * arXiv:2110.02861, rounded up or down by chance. 2.06 bytes.
   */
  BITS8("8bit", 1);

  /** Neighbours that share a scale in {@link #BITS8}. */
  public static final int BLOCK = 128;

  private final String label;
  private final int bytes;

  MomentForm(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /** Bytes of one number, without the scales. */
  public int bytes() {
    return bytes;
  }

  /** For example {@code 8bit}, as run files say it. */
  @Override
  public String toString() {
    return label;
  }
}
