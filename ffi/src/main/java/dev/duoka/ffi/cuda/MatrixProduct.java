package dev.duoka.ffi.cuda;

/**
 * A product of dense row-major matrices as {@link CublasLt} computes it: {@code target = op(a) ·
 * op(b) (+ addend)}, accumulated in fp32.
 *
 * @param rows of the target and of {@code op(a)}
 * @param columns of the target and of {@code op(b)}
 * @param inner the size that is summed over
 * @param transposeA whether {@code a} is stored as {@code [inner, rows]} instead of {@code [rows,
 *     inner]}
 * @param transposeB whether {@code b} is stored as {@code [columns, inner]} instead of {@code
 *     [inner, columns]}
 * @param factors the dtype of {@code a} and {@code b}
 * @param result the dtype of the target and the addend
 * @param adds whether there is an addend; it may be the target itself
 * @param scaling how the factors are scaled
 */
public record MatrixProduct(
    int rows,
    int columns,
    int inner,
    boolean transposeA,
    boolean transposeB,
    MatrixDtype factors,
    MatrixDtype result,
    boolean adds,
    Scaling scaling) {
  /** Scales of 8-bit factors, fp32, one for each group of 128 along the inner size. */
  public enum Scaling {
    /** No scales. */
    NONE(0, 0),
    /**
     * One for each row of {@code a} and group, {@code [inner / 128, rows]}; one for each block of
     * 128 × 128 of {@code b}, {@code [columns / 128, inner / 128]} with rows padded to a multiple
     * of {@value MatrixProduct#BLOCK_SCALE_PADDING}.
     */
    ROWS_BY_BLOCKS(VECTORS_OF_128, BLOCKS_OF_128),
    /** One for each row of {@code a}, or of the stored {@code b}, and group: as above for a. */
    ROWS_BY_ROWS(VECTORS_OF_128, VECTORS_OF_128);

    final int ofA;
    final int ofB;

    Scaling(int ofA, int ofB) {
      this.ofA = ofA;
      this.ofB = ofB;
    }
  }

  /** Elements along the inner size that share a scale. */
  public static final int SCALE_GROUP = 128;

  /** Rows of block scales start at multiples of this many. */
  public static final int BLOCK_SCALE_PADDING = 4;

  /** Codes of {@code cublasLtMatmulMatrixScale_t}. */
  private static final int VECTORS_OF_128 = 4;

  private static final int BLOCKS_OF_128 = 5;

  /** A product without scales. */
  public static MatrixProduct of(
      long rows,
      long columns,
      long inner,
      boolean transposeA,
      boolean transposeB,
      MatrixDtype factors,
      MatrixDtype result,
      boolean adds) {
    return new MatrixProduct(
        Math.toIntExact(rows),
        Math.toIntExact(columns),
        Math.toIntExact(inner),
        transposeA,
        transposeB,
        factors,
        result,
        adds,
        Scaling.NONE);
  }

  /** Floating-point operations, a multiplication and an addition counted as two. */
  public double operations() {
    return 2.0 * rows * columns * inner;
  }

  /** One word that names the product in files: sizes, then what distinguishes it. */
  public String key() {
    return rows
        + "x"
        + columns
        + "x"
        + inner
        + (transposeA ? "-ta" : "")
        + (transposeB ? "-tb" : "")
        + "-"
        + factors
        + "-"
        + result
        + (adds ? "-adds" : "")
        + (scaling == Scaling.NONE ? "" : "-" + scaling);
  }
}
