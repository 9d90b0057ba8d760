package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.Cublas;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TypedFunctions;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Matrix products. */
public final class Products {
  private static final Operator MM = Operator.of("aten::mm", "");
  private static final Operator BMM = Operator.of("aten::bmm", "");

  private Products() {}

  /** {@code a @ b}: {@code [n, k] × [k, m] → [n, m]}; either may be a transposed view. */
  public static Tensor mm(Tensor a, Tensor b) {
    checkInner(a, b, 2);
    return Call.of(MM).tensor(a).tensor(b).result();
  }

  /** {@code a @ bᵀ}: {@code [n, k] × [m, k] → [n, m]}. */
  public static Tensor mmTransposedB(Tensor a, Tensor b) {
    try (Tensor transposed = Views.transpose(b, 0, 1)) {
      return mm(a, transposed);
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
    checkInner(a, b, 2);
    if (target.device().isMeta()) {
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
          1.0);
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
            factor(a),
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
              factor(a));
    }
    return result;
  }

  private static Cublas.Factor factor(Tensor tensor) {
    return switch (tensor.dtype()) {
      case BFLOAT16 -> Cublas.Factor.BFLOAT16;
      case FLOAT16 -> Cublas.Factor.FLOAT16;
      case FLOAT32, FLOAT64, INT64, INT32, UINT8, BOOL ->
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
