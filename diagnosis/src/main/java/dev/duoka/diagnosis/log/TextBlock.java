package dev.duoka.diagnosis.log;

/** Consecutive bytes of a log that end where a line ends, unless a line is longer than a block. */
public final class TextBlock {
  private final byte[] bytes;
  private final int length;

  /** The first {@code length} of these bytes, which are not copied. */
  public TextBlock(byte[] bytes, int length) {
    this.bytes = bytes;
    this.length = length;
  }

  /** The bytes, and behind {@link #length} nothing that counts; not a copy. */
  public byte[] bytes() {
    return bytes;
  }

  /** How many bytes count. */
  public int length() {
    return length;
  }
}
