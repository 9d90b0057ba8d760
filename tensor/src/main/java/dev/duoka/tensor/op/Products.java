package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.Cublas;
import dev.duoka.ffi.cuda.CublasLt;
import dev.duoka.ffi.cuda.MatrixDtype;
import dev.duoka.ffi.cuda.MatrixProduct;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TypedFunctions;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.product.MeasuredProducts;
import org.jspecify.annotations.Nullable;

/** Matrix products. */
public final class Products {
  private static final Operator MM = Operator.of("aten::mm", "");
  private static final Operator BMM = Operator.of("aten::bmm", "");

  /**
   * Smaller products, and those whose sizes are no multiples of this many, are left to LibTorch: a
   * prompt of any length is a new product each time, and the measurement would never pay.
   */
  private static final int MEASURED_MULTIPLE = 64;

  private static final double MEASURED_OPERATIONS = 1e10;

  /** For sums over parts of a product; the fastest algorithms on an H100 need next to none. */
  private static final long WORKSPACE_BYTES = 4 << 20;

  private Products() {}

  /**
   * {@code a @ b}: {@code [n, k] × [k, m] → [n, m]}; either may be a transposed view. Large 16-bit
   * products of dense matrices on CUDA run by the algorithm that is fastest on the card, which the
   * first of its kind measures ({@link MeasuredProducts}).
   */
  public static Tensor mm(Tensor a, Tensor b) {
    checkInner(a, b, 2);
    if (isMeasured(a, b, false)) {
      return measured(a, b, false, null);
    }
    if (isHalfVector(a, b)) {
      try (Tensor wide = wide(a, b)) {
        return Copies.cast(wide, a.dtype());
      }
    }
    return Call.of(MM).tensor(a).tensor(b).result();
  }

  /**
   * Whether a product is one of 16-bit numbers with a vector on the CPU. LibTorch 2.10 gets those
   * wrong where the result is a column of something wider, and keeps what was NaN in its memory.
   */
  private static boolean isHalfVector(Tensor a, Tensor b) {
    boolean half = a.dtype() == Dtype.BFLOAT16 || a.dtype() == Dtype.FLOAT16;
    return half && a.device().equals(Device.CPU) && (a.size(0) == 1 || b.size(1) == 1);
  }

  /** {@code a @ b} in fp32. */
  private static Tensor wide(Tensor a, Tensor b) {
    try (Tensor wideA = Copies.cast(a, Dtype.FLOAT32);
        Tensor wideB = Copies.cast(b, Dtype.FLOAT32)) {
      return Call.of(MM).tensor(wideA).tensor(wideB).result();
    }
  }

  /** {@code a @ bᵀ}: {@code [n, k] × [m, k] → [n, m]}; otherwise as {@link #mm}. */
  public static Tensor mmTransposedB(Tensor a, Tensor b) {
    if (isMeasured(a, b, true)) {
      return measured(a, b, true, null);
    }
    try (Tensor transposed = Views.transpose(b, 0, 1)) {
      return mm(a, transposed);
    }
  }

  /**
   * {@code addend + a @ bᵀ}: {@code [n, m] + [n, k] × [m, k] → [n, m]}, in one pass where {@link
   * #mm} would measure, with one rounding instead of two.
   */
  public static Tensor mmTransposedBPlus(Tensor addend, Tensor a, Tensor b) {
    if (isMeasured(a, b, true) && addend.dtype() == a.dtype() && addend.isContiguous()) {
      if (addend.elements() != a.size(0) * b.size(0)) {
        throw new DuokaException(
            ErrorCode.TENSOR, "cannot add " + addend + " to " + a + " times " + b + "ᵀ", "");
      }
      return measured(a, b, true, addend);
    }
    try (Tensor product = mmTransposedB(a, b)) {
      return Elementwise.add(addend, product);
    }
  }

  /** {@code aᵀ @ b}: {@code [k, n] × [k, m] → [n, m]}. */
  public static Tensor mmTransposedA(Tensor a, Tensor b) {
    try (Tensor transposed = Views.transpose(a, 0, 1)) {
      return mm(transposed, b);
    }
  }

  /** One product per batch entry: {@code [b, n, k] × [b, k, m] → [b, n, m]}. */
  public static Tensor bmm(Tensor a, Tensor b) {
    checkInner(a, b, 3);
    return Call.of(BMM).tensor(a).tensor(b).result();
  }

  /** {@code target = beta · target + a @ b}, all of one dtype; {@code beta} 0 overwrites. */
  public static void mmInto(Tensor target, Tensor a, Tensor b, double beta) {
    mmInto(target, a, b, beta, 1);
  }

  /** {@code target = beta · target + alpha · (a @ b)}; otherwise as the other method. */
  public static void mmInto(Tensor target, Tensor a, Tensor b, double beta, double alpha) {
    checkInner(a, b, 2);
    if (target.device().isMeta()) {
      return;
    }
    if (isHalfVector(a, b)) {
      try (Tensor sum = wide(a, b)) {
        Elementwise.mulInPlace(sum, alpha);
        if (beta != 0) {
          try (Tensor before = Copies.cast(target, Dtype.FLOAT32)) {
            Elementwise.mulInPlace(before, beta);
            Elementwise.addInPlace(sum, before);
          }
        }
        Copies.into(target, sum);
      }
      return;
    }
    try {
      TypedFunctions.addmmOut(
          target.device().isCuda(),
          target.handle(),
          target.handle(),
          a.handle(),
          b.handle(),
          beta,
          alpha);
    } catch (DuokaException e) {
      throw Call.failure("aten::addmm.out", e, target, a, b);
    }
  }

  /**
   * {@code target (+)= aᵀ @ b} for 16-bit factors on CUDA, or as a dry run on {@code meta}: a
   * weight gradient, accumulated in fp32 without a temporary.
   *
   * @param target dense fp32 {@code [k, m]}
   * @param a dense {@code [n, k]}
   * @param b dense {@code [n, m]}
   * @param add whether to add to the target rather than overwrite it
   */
  public static void outerInto(Tensor target, Tensor a, Tensor b, boolean add) {
    boolean fits =
        a.dtype() == b.dtype()
            && a.size(0) == b.size(0)
            && target.elements() == a.size(1) * b.size(1)
            && target.dtype() == Dtype.FLOAT32
            && a.isContiguous()
            && b.isContiguous()
            && target.isContiguous();
    if (!fits) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot add the product of " + a + "ᵀ and " + b + " to " + target, "");
    }
    if (a.device().isMeta()) {
      return;
    }
    Cublas.find()
        .orElseThrow()
        .outerProduct(
            Views.addressOf(target),
            Views.addressOf(a),
            Views.addressOf(b),
            a.size(0),
            a.size(1),
            b.size(1),
            matrixDtype(a),
            add);
  }

  /**
   * {@code a @ bᵀ} in fp32 of 16-bit factors on CUDA, or as a dry run on {@code meta}: what the
   * product of both in fp32 would be, without converting them.
   *
   * @param a dense {@code [n, k]}
   * @param b dense {@code [m, k]}
   * @return fp32 {@code [n, m]}
   */
  public static Tensor wideTransposedB(Tensor a, Tensor b) {
    boolean fits =
        a.dtype() == b.dtype()
            && a.size(1) == b.size(1)
            && a.isContiguous()
            && b.isContiguous()
            && !a.device().equals(Device.CPU);
    if (!fits) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot multiply " + a + " by " + b + "ᵀ with an fp32 result", "");
    }
    Tensor result = Tensors.empty(Dtype.FLOAT32, a.device(), a.size(0), b.size(0));
    if (a.device().isCuda() && result.elements() > 0) {
      Cublas.find()
          .orElseThrow()
          .innerProduct(
              Views.addressOf(result),
              Views.addressOf(a),
              Views.addressOf(b),
              a.size(0),
              b.size(0),
              a.size(1),
              matrixDtype(a));
    }
    return result;
  }

  /** Whether a product is one of those whose algorithm is chosen by measurement. */
  private static boolean isMeasured(Tensor a, Tensor b, boolean transposeB) {
    boolean half = a.dtype() == Dtype.BFLOAT16 || a.dtype() == Dtype.FLOAT16;
    if (!half
        || b.dtype() != a.dtype()
        || a.device().equals(Device.CPU)
        || a.rank() != 2
        || b.rank() != 2
        || a.size(1) != b.size(transposeB ? 1 : 0)
        || !a.isContiguous()
        || !b.isContiguous()) {
      return false;
    }
    long columns = b.size(transposeB ? 0 : 1);
    return a.size(0) % MEASURED_MULTIPLE == 0
        && a.size(1) % MEASURED_MULTIPLE == 0
        && columns % MEASURED_MULTIPLE == 0
        && 2.0 * a.size(0) * a.size(1) * columns >= MEASURED_OPERATIONS;
  }

  private static Tensor measured(Tensor a, Tensor b, boolean transposeB, @Nullable Tensor addend) {
    Tensor result = Tensors.empty(a.dtype(), a.device(), a.size(0), b.size(transposeB ? 0 : 1));
    try (Tensor workspace = Tensors.empty(Dtype.UINT8, a.device(), WORKSPACE_BYTES)) {
      if (a.device().isCuda()) {
        MeasuredProducts.multiply(
            MatrixProduct.of(
                a.size(0),
                result.size(1),
                a.size(1),
                false,
                transposeB,
                matrixDtype(a),
                matrixDtype(a),
                addend != null),
            new CublasLt.Operands(
                Views.addressOf(result),
                Views.addressOf(a),
                Views.addressOf(b),
                addend == null ? 0 : Views.addressOf(addend),
                0,
                0,
                Views.addressOf(workspace),
                WORKSPACE_BYTES),
            a.device().index(),
            !Determinism.isRequired());
      }
    }
    return result;
  }

  private static MatrixDtype matrixDtype(Tensor tensor) {
    return switch (tensor.dtype()) {
      case BFLOAT16 -> MatrixDtype.BFLOAT16;
      case FLOAT16 -> MatrixDtype.FLOAT16;
      case FLOAT32, FLOAT64, INT64, INT32, INT16, UINT8, BOOL, FLOAT8_E4M3 ->
          throw new DuokaException(
              ErrorCode.TENSOR, tensor + " is no factor of a product of 16-bit factors", "");
    };
  }

  private static void checkInner(Tensor a, Tensor b, int rank) {
    if (a.rank() != rank || b.rank() != rank || a.size(-1) != b.size(-2)) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot multiply "
              + a
              + " by "
              + b
              + ": the inner sizes differ or the ranks are not "
              + rank,
          "");
    }
    if (a.dtype() != b.dtype()) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot multiply " + a + " by " + b + ": the dtypes differ", "");
    }
  }
}
