package dev.duoka.tensor.kernel;

import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * 16-bit matrices as 8-bit ones with scales, by rows and by columns in one pass over memory. Needs
 * compute capability 8.9; launches asynchronously; deterministic.
 */
public final class QuantizeKernel {
  /** Rows and columns of a tile, and elements that share a scale. */
  private static final int TILE = 128;

  private static final int THREADS = 256;
  private static final ComputeCapability FIRST = new ComputeCapability(8, 9);
  private static final KernelFamily KERNELS = new KernelFamily("quantize.cu");

  private QuantizeKernel() {}

  /** Whether {@code x [n, w]} can be quantized here; on {@code meta} as on a card of today. */
  public static boolean take(Tensor x) {
    boolean half = x.dtype() == Dtype.BFLOAT16 || x.dtype() == Dtype.FLOAT16;
    return half
        && KernelFamily.serve(x)
        && KernelFamily.inPacks(x, x.size(1))
        && x.size(0) % TILE == 0
        && x.size(1) % TILE == 0
        && (x.device().isMeta()
            || CudaDriver.find()
                    .orElseThrow()
                    .device(x.device().index())
                    .computeCapability()
                    .compareTo(FIRST)
                >= 0);
  }

  /**
   * Quantizes with one scale for each group of 128.
   *
   * @param rows e4m3 {@code [n, w]}; null for none
   * @param rowScales fp32 {@code [w / 128, n]}
   * @param columns e4m3 {@code [w, n]}, the transpose; null for none
   * @param columnScales fp32 {@code [n / 128, w]}
   */
  public static void groups(
      Tensor x,
      @Nullable Tensor rows,
      @Nullable Tensor rowScales,
      @Nullable Tensor columns,
      @Nullable Tensor columnScales) {
    run(x, rows, rowScales, columns, columnScales, false, 0, 0);
  }

  /**
   * Quantizes with one scale for each block of 128 × 128.
   *
   * @param rows e4m3 {@code [n, w]}
   * @param rowScales fp32 {@code [n / 128, at least w / 128]}
   * @param columns e4m3 {@code [w, n]}, the transpose
   * @param columnScales fp32 {@code [w / 128, at least n / 128]}
   */
  public static void blocks(
      Tensor x, Tensor rows, Tensor rowScales, Tensor columns, Tensor columnScales) {
    run(
        x,
        rows,
        rowScales,
        columns,
        columnScales,
        true,
        Math.toIntExact(rowScales.size(1)),
        Math.toIntExact(columnScales.size(1)));
  }

  private static void run(
      Tensor x,
      @Nullable Tensor rows,
      @Nullable Tensor rowScales,
      @Nullable Tensor columns,
      @Nullable Tensor columnScales,
      boolean whole,
      int rowPitch,
      int columnPitch) {
    if (!x.device().isCuda() || x.elements() == 0) {
      return;
    }
    int n = Math.toIntExact(x.size(0));
    int width = Math.toIntExact(x.size(1));
    KERNELS
        .call(x, "quantize")
        .grid(width / TILE, n / TILE, 1)
        .block(THREADS)
        .pointer(Views.addressOf(x))
        .pointer(address(rows))
        .pointer(address(rowScales))
        .pointer(address(columns))
        .pointer(address(columnScales))
        .integer(n)
        .integer(width)
        .integer(whole ? 1 : 0)
        .integer(rowPitch)
        .integer(columnPitch)
        .launch();
  }

  private static long address(@Nullable Tensor tensor) {
    return tensor == null ? 0 : Views.addressOf(tensor);
  }
}
