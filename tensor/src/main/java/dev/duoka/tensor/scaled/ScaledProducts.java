package dev.duoka.tensor.scaled;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.CublasLt;
import dev.duoka.ffi.cuda.MatrixDtype;
import dev.duoka.ffi.cuda.MatrixProduct;
import dev.duoka.ffi.cuda.MatrixProduct.Scaling;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.product.MeasuredProducts;
import dev.duoka.tensor.scaled.ScaledMatrix.Grouping;
import org.jspecify.annotations.Nullable;

/**
 * Products of 8-bit matrices with sums in fp32: by cuBLASLt on CUDA (compute capability 9.0, CUDA
 * 12.9), and on the CPU of what the matrices stand for. Launches asynchronously.
 */
public final class ScaledProducts {
  private static final long WORKSPACE_BYTES = 4 << 20;

  private ScaledProducts() {}

  /**
   * {@code a · bᵀ (+ addend)}.
   *
   * @param a {@code [n, k]}, grouped by rows
   * @param b {@code [m, k]}, grouped by blocks
   * @param addend dense {@code [n, m]} of {@code dtype}; null for none
   * @param dtype of the result: bf16 or fp16
   * @return {@code [n, m]}
   */
  public static Tensor transposedB(
      ScaledMatrix a, ScaledMatrix b, @Nullable Tensor addend, Dtype dtype) {
    check(a, Grouping.ROWS, b, Grouping.BLOCKS);
    if (a.values().device().equals(Device.CPU)) {
      Tensor product =
          Products.mmTransposedB(Quantization.dequantized(a), Quantization.dequantized(b));
      return Copies.cast(
          addend == null ? product : Elementwise.add(product, Copies.cast(addend, Dtype.FLOAT32)),
          dtype);
    }
    Tensor result = Tensors.empty(dtype, a.values().device(), a.rows(), b.rows());
    MatrixDtype type = dtype == Dtype.BFLOAT16 ? MatrixDtype.BFLOAT16 : MatrixDtype.FLOAT16;
    run(result, a, b, addend, type, Scaling.ROWS_BY_BLOCKS);
    return result;
  }

  /**
   * {@code target (+)= a · bᵀ}.
   *
   * @param target dense fp32 {@code [n, m]}
   * @param a {@code [n, k]}, grouped by rows
   * @param b {@code [m, k]}, grouped by rows
   * @param add whether to add to the target rather than overwrite it
   */
  public static void intoTransposedB(Tensor target, ScaledMatrix a, ScaledMatrix b, boolean add) {
    check(a, Grouping.ROWS, b, Grouping.ROWS);
    if (a.values().device().equals(Device.CPU)) {
      Tensor product =
          Products.mmTransposedB(Quantization.dequantized(a), Quantization.dequantized(b));
      if (add) {
        Elementwise.addInPlace(target, product);
      } else {
        Copies.into(target, product);
      }
      return;
    }
    run(target, a, b, add ? target : null, MatrixDtype.FLOAT32, Scaling.ROWS_BY_ROWS);
  }

  private static void run(
      Tensor target,
      ScaledMatrix a,
      ScaledMatrix b,
      @Nullable Tensor addend,
      MatrixDtype result,
      Scaling scaling) {
    Device device = target.device();
    try (Tensor workspace = Tensors.empty(Dtype.UINT8, device, WORKSPACE_BYTES)) {
      if (device.isMeta()) {
        return;
      }
      MatrixProduct product =
          new MatrixProduct(
              Math.toIntExact(a.rows()),
              Math.toIntExact(b.rows()),
              Math.toIntExact(a.columns()),
              false,
              true,
              MatrixDtype.FLOAT8_E4M3,
              result,
              addend != null,
              scaling);
      MeasuredProducts.multiply(
          product,
          new CublasLt.Operands(
              Views.addressOf(target),
              Views.addressOf(a.values()),
              Views.addressOf(b.values()),
              addend == null ? 0 : Views.addressOf(addend),
              Views.addressOf(a.scales()),
              Views.addressOf(b.scales()),
              Views.addressOf(workspace),
              WORKSPACE_BYTES),
          device.index(),
          !Determinism.isRequired());
    }
  }

  private static void check(ScaledMatrix a, Grouping ofA, ScaledMatrix b, Grouping ofB) {
    if (a.grouping() != ofA || b.grouping() != ofB || a.columns() != b.columns()) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot multiply " + a + " by the transpose of " + b, "");
    }
  }
}
