package dev.duoka.tensor.scaled;

import dev.duoka.tensor.Tensor;

/**
 * A matrix of 8 bits whose values stand for value × scale.
 *
 * @param values e4m3 {@code [rows, columns]}, dense
 * @param scales fp32; by {@link Grouping}
 * @param grouping what shares a scale
 */
public record ScaledMatrix(Tensor values, Tensor scales, Grouping grouping) {
  /** Elements along a row that share a scale. */
  public static final int GROUP = 128;

  /** What shares a scale. */
  public enum Grouping {
    /** 128 neighbours in a row: scales {@code [columns / 128, rows]}. */
    ROWS,
    /**
     * A block of 128 × 128: scales {@code [rows / 128, columns / 128]}, whose rows are padded to a
     * multiple of four.
     */
    BLOCKS
  }

  /** A matrix and its transpose, quantized each along its own rows. */
  public record Pair(ScaledMatrix matrix, ScaledMatrix transpose) {}

  /** The number of rows. */
  public long rows() {
    return values.size(0);
  }

  /** The number of columns. */
  public long columns() {
    return values.size(1);
  }
}
