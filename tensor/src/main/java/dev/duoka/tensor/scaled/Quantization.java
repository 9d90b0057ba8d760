package dev.duoka.tensor.scaled;

import dev.duoka.ffi.cuda.MatrixProduct;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.QuantizeKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.scaled.ScaledMatrix.Grouping;

/**
 * Makes 8-bit matrices: the largest magnitude that shares a scale becomes e4m3's largest, 448. One
 * pass over memory on a GPU, and compositions of operators elsewhere, which are the truth that the
 * kernel is tested against. Launches asynchronously.
 */
public final class Quantization {
  private static final long GROUP = ScaledMatrix.GROUP;

  /** The largest value of e4m3. */
  private static final double LARGEST = 448;

  /** What a group of zeros is scaled by, times {@link #LARGEST}. */
  private static final double TINY = 1e-30;

  private Quantization() {}

  /** Whether both sizes of a matrix are multiples of a group, as quantization wants them. */
  public static boolean fits(long rows, long columns) {
    return rows > 0 && rows % GROUP == 0 && columns % GROUP == 0;
  }

  /** {@code x [n, w]} with a scale for each group of a row. */
  public static ScaledMatrix rows(Tensor x) {
    if (QuantizeKernel.take(x)) {
      ScaledMatrix matrix = grouped(x.size(0), x.size(1), x.device());
      QuantizeKernel.groups(x, matrix.values(), matrix.scales(), null, null);
      return matrix;
    }
    return composedRows(x);
  }

  /** As {@link #rows}, and the same of the transpose, in one pass. */
  public static ScaledMatrix.Pair rowsAndColumns(Tensor x) {
    if (QuantizeKernel.take(x)) {
      ScaledMatrix matrix = grouped(x.size(0), x.size(1), x.device());
      ScaledMatrix transpose = grouped(x.size(1), x.size(0), x.device());
      QuantizeKernel.groups(
          x, matrix.values(), matrix.scales(), transpose.values(), transpose.scales());
      return new ScaledMatrix.Pair(matrix, transpose);
    }
    return new ScaledMatrix.Pair(composedRows(x), composedRows(transposed(x)));
  }

  /** Memory for {@link #blocks} of a matrix {@code [n, w]}. */
  public static ScaledMatrix.Pair roomForBlocks(long n, long w, Device device) {
    return new ScaledMatrix.Pair(blocked(n, w, device), blocked(w, n, device));
  }

  /** {@code x [n, w]} and its transpose, with a scale for each block, into {@code room}. */
  public static void blocks(Tensor x, ScaledMatrix.Pair room) {
    ScaledMatrix matrix = room.matrix();
    ScaledMatrix transpose = room.transpose();
    if (QuantizeKernel.take(x)) {
      QuantizeKernel.blocks(
          x, matrix.values(), matrix.scales(), transpose.values(), transpose.scales());
    } else {
      composedBlocks(x, matrix);
      composedBlocks(transposed(x), transpose);
    }
  }

  /** The values that a matrix stands for, fp32. */
  public static Tensor dequantized(ScaledMatrix matrix) {
    Tensor wide = Copies.cast(matrix.values(), Dtype.FLOAT32);
    long rows = matrix.rows();
    long columns = matrix.columns();
    return switch (matrix.grouping()) {
      case ROWS ->
          Views.reshape(
              Elementwise.mul(
                  Views.reshape(wide, rows, columns / GROUP, GROUP),
                  Views.unsqueeze(Views.dense(Views.transpose(matrix.scales(), 0, 1)), 2)),
              rows,
              columns);
      case BLOCKS ->
          Views.reshape(
              Elementwise.mul(
                  Views.reshape(wide, rows / GROUP, GROUP, columns / GROUP, GROUP),
                  Views.reshape(
                      Views.dense(Views.narrow(matrix.scales(), 1, 0, columns / GROUP)),
                      rows / GROUP,
                      1,
                      columns / GROUP,
                      1)),
              rows,
              columns);
    };
  }

  /**
   * The fp32 values that a matrix stands for: each element times its block's scale, rounded once.
   * Blocks at the end of rows and columns may be cut short.
   *
   * @param values {@code [n, w]}
   * @param scales {@code [⌈n / blockRows⌉, ⌈w / blockColumns⌉]} fp32
   */
  public static Tensor dequantized(
      Tensor values, Tensor scales, long blockRows, long blockColumns) {
    long rows = values.size(0);
    long columns = values.size(1);
    Tensor wide = Copies.cast(values, Dtype.FLOAT32);
    long across = scales.size(1);
    Tensor byColumn =
        Views.narrow(
            Views.reshape(
                Views.dense(Views.expand(Views.unsqueeze(scales, 2), 2, blockColumns)),
                scales.size(0),
                across * blockColumns),
            1,
            0,
            columns);
    long whole = rows / blockRows;
    if (whole > 0) {
      Elementwise.mulInPlace(
          Views.reshape(Views.narrow(wide, 0, 0, whole * blockRows), whole, blockRows, columns),
          Views.unsqueeze(Views.narrow(byColumn, 0, 0, whole), 1));
    }
    long rest = rows - whole * blockRows;
    if (rest > 0) {
      Elementwise.mulInPlace(
          Views.narrow(wide, 0, whole * blockRows, rest), Views.narrow(byColumn, 0, whole, 1));
    }
    return wide;
  }

  private static ScaledMatrix composedRows(Tensor x) {
    long rows = x.size(0);
    long groups = x.size(1) / GROUP;
    Tensor grouped = Views.reshape(Copies.cast(x, Dtype.FLOAT32), rows, groups, GROUP);
    Tensor scales = scales(Reductions.max(Elementwise.abs(grouped), false, 2));
    Tensor values = Elementwise.mul(grouped, Views.unsqueeze(inverse(scales), 2));
    return new ScaledMatrix(
        Copies.cast(Views.reshape(values, rows, x.size(1)), Dtype.FLOAT8_E4M3),
        Views.dense(Views.transpose(scales, 0, 1)),
        Grouping.ROWS);
  }

  private static void composedBlocks(Tensor x, ScaledMatrix target) {
    long rows = x.size(0) / GROUP;
    long columns = x.size(1) / GROUP;
    Tensor blocks = Views.reshape(Copies.cast(x, Dtype.FLOAT32), rows, GROUP, columns, GROUP);
    Tensor scales = scales(Reductions.max(Elementwise.abs(blocks), true, 1, 3));
    Copies.into(
        target.values(),
        Views.reshape(Elementwise.mul(blocks, inverse(scales)), x.size(0), x.size(1)));
    Copies.into(Views.narrow(target.scales(), 1, 0, columns), Views.reshape(scales, rows, columns));
  }

  private static Tensor scales(Tensor largest) {
    Tensor tiny = Tensors.full(TINY, Dtype.FLOAT32, largest.device(), 1);
    return Elementwise.div(
        Elementwise.maximum(largest, tiny),
        Tensors.full(LARGEST, Dtype.FLOAT32, largest.device(), 1));
  }

  private static Tensor inverse(Tensor scales) {
    return Elementwise.div(Tensors.full(1, Dtype.FLOAT32, scales.device(), 1), scales);
  }

  private static Tensor transposed(Tensor x) {
    return Views.dense(Views.transpose(x, 0, 1));
  }

  private static ScaledMatrix grouped(long rows, long columns, Device device) {
    return new ScaledMatrix(
        Tensors.empty(Dtype.FLOAT8_E4M3, device, rows, columns),
        Tensors.empty(Dtype.FLOAT32, device, columns / GROUP, rows),
        Grouping.ROWS);
  }

  private static ScaledMatrix blocked(long rows, long columns, Device device) {
    long padding = MatrixProduct.BLOCK_SCALE_PADDING;
    long pitch = Math.ceilDiv(columns / GROUP, padding) * padding;
    return new ScaledMatrix(
        Tensors.empty(Dtype.FLOAT8_E4M3, device, rows, columns),
        Tensors.zeros(Dtype.FLOAT32, device, rows / GROUP, pitch),
        Grouping.BLOCKS);
  }
}
