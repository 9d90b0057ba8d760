package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.OperatorCall;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.ffi.torch.TypedFunctions;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Arithmetic and comparisons, element by element, with PyTorch's broadcasting and promotion. */
public final class Elementwise {
  private static final Operator MUL = Operator.of("aten::mul", "Tensor");
  private static final Operator MUL_OUT = Operator.of("aten::mul", "out");
  private static final Operator MUL_IN_PLACE = Operator.of("aten::mul_", "Tensor");
  private static final Operator DIV = Operator.of("aten::div", "Tensor");
  private static final Operator FLOOR_DIVIDE = Operator.of("aten::floor_divide", "");
  private static final Operator NEG = Operator.of("aten::neg", "");
  private static final Operator SQRT = Operator.of("aten::sqrt", "");
  private static final Operator RSQRT = Operator.of("aten::rsqrt", "");
  private static final Operator EXP = Operator.of("aten::exp", "");
  private static final Operator LOG = Operator.of("aten::log", "");
  private static final Operator SIGN = Operator.of("aten::sign", "");
  private static final Operator ABS = Operator.of("aten::abs", "");
  private static final Operator MAXIMUM = Operator.of("aten::maximum", "");
  private static final Operator MINIMUM = Operator.of("aten::minimum", "");
  private static final Operator EQ = Operator.of("aten::eq", "Tensor");
  private static final Operator LT = Operator.of("aten::lt", "Tensor");
  private static final Operator GE = Operator.of("aten::ge", "Tensor");
  private static final Operator IS_FINITE = Operator.of("aten::isfinite", "");
  private static final Operator WHERE = Operator.of("aten::where", "self");
  private static final Operator ADD_PRODUCT = Operator.of("aten::_foreach_addcmul_", "Tensor");

  private Elementwise() {}

  /** {@code a + b}. */
  public static Tensor add(Tensor a, Tensor b) {
    return add(a, b, 1.0);
  }

  /** {@code a + factor · b}. */
  public static Tensor add(Tensor a, Tensor b, double factor) {
    try {
      return Tensor.adopt(TypedFunctions.subtract(a.handle(), b.handle(), -factor), a.device());
    } catch (DuokaException e) {
      throw Call.failure("aten::add", e, a, b);
    }
  }

  /** {@code a + number}, in the dtype of {@code a} if that is a floating-point type. */
  public static Tensor add(Tensor a, double number) {
    long scalar = Tensors.scalar(number);
    try {
      return inDtypeOf(
          a, Tensor.adopt(TypedFunctions.subtract(a.handle(), scalar, -1.0), a.device()));
    } catch (DuokaException e) {
      throw Call.failure("aten::add", e, a);
    } finally {
      TensorHandle.delete(scalar);
    }
  }

  /**
   * {@code target += b}, in the target's dtype.
   *
   * <p>ATen's own in-place sum takes a Scalar, which LibTorch's shim refuses; this one computes
   * {@code target += 1 · b · 1} in a single pass.
   */
  public static void addInPlace(Tensor target, Tensor b) {
    try (Tensor converted = Copies.cast(b, target.dtype());
        Tensor one = Tensors.full(1, target.dtype(), target.device())) {
      addProductInPlace(target, converted, one, 1);
    }
  }

  /** {@code target += factor · a · b}, all of one dtype, in one pass. */
  public static void addProductInPlace(Tensor target, Tensor a, Tensor b, double factor) {
    Device host = target.device().isMeta() ? Device.META : Device.CPU;
    try (Tensor factors = Tensors.full(factor, Dtype.FLOAT32, host, 1)) {
      if (target.device().isMeta()) { // after the factor, so that a dry run books its bytes
        return;
      }
      Call.of(ADD_PRODUCT).tensors(target).tensors(a).tensors(b).tensor(factors).noResult();
    }
  }

  /** {@code a · b}. */
  public static Tensor mul(Tensor a, Tensor b) {
    return Call.of(MUL).tensor(a).tensor(b).result();
  }

  /** {@code a · number}, in the dtype of {@code a} if that is a floating-point type. */
  public static Tensor mul(Tensor a, double number) {
    return inDtypeOf(a, withScalar(MUL, a, number));
  }

  /** {@code target = a · b}; the target, of their dtype, may be one of them. */
  public static void mulInto(Tensor target, Tensor a, Tensor b) {
    Call.of(MUL_OUT).tensor(a).tensor(b).tensor(target).inPlace();
  }

  /** {@code target ·= b}. */
  public static void mulInPlace(Tensor target, Tensor b) {
    Call.of(MUL_IN_PLACE).tensor(target).tensor(b).inPlace();
  }

  /** {@code target ·= number}. */
  public static void mulInPlace(Tensor target, double number) {
    long scalar = Tensors.scalar(number);
    OperatorCall call = OperatorCall.of(MUL_IN_PLACE).tensor(target.handle()).tensor(scalar);
    try {
      TensorHandle.delete(call.invoke().result(0));
    } catch (DuokaException e) {
      throw Call.failure("aten::mul_", e, target);
    } finally {
      TensorHandle.delete(scalar);
    }
  }

  /** {@code a / b}. */
  public static Tensor div(Tensor a, Tensor b) {
    return Call.of(DIV).tensor(a).tensor(b).result();
  }

  /** {@code ⌊a / number⌋}, for integers. */
  public static Tensor floorDivide(Tensor a, long number) {
    try (Tensor divisor = Tensors.full((double) number, a.dtype(), a.device())) {
      if (a.device().isMeta()) {
        return Tensors.empty(a.dtype(), a.device(), a.shape());
      }
      return Call.of(FLOOR_DIVIDE).tensor(a).tensor(divisor).result();
    }
  }

  /** {@code −a}. */
  public static Tensor neg(Tensor a) {
    return Call.of(NEG).tensor(a).result();
  }

  /** The square root. */
  public static Tensor sqrt(Tensor a) {
    return Call.of(SQRT).tensor(a).result();
  }

  /** One over the square root. */
  public static Tensor rsqrt(Tensor a) {
    return Call.of(RSQRT).tensor(a).result();
  }

  /** The exponential. */
  public static Tensor exp(Tensor a) {
    return Call.of(EXP).tensor(a).result();
  }

  /** The natural logarithm. */
  public static Tensor log(Tensor a) {
    return Call.of(LOG).tensor(a).result();
  }

  /** −1, 0 or 1. */
  public static Tensor sign(Tensor a) {
    return Call.of(SIGN).tensor(a).result();
  }

  /** The absolute value. */
  public static Tensor abs(Tensor a) {
    if (a.device().isMeta()) {
      return Tensors.empty(a.dtype(), a.device(), a.shape());
    }
    return Call.of(ABS).tensor(a).result();
  }

  /** The larger of two values; NaN if one is. */
  public static Tensor maximum(Tensor a, Tensor b) {
    return Call.of(MAXIMUM).tensor(a).tensor(b).result();
  }

  /** The smaller of two values; NaN if one is. */
  public static Tensor minimum(Tensor a, Tensor b) {
    return Call.of(MINIMUM).tensor(a).tensor(b).result();
  }

  /** {@code a == b}, as bool. */
  public static Tensor equal(Tensor a, Tensor b) {
    return Call.of(EQ).tensor(a).tensor(b).result();
  }

  /** {@code a < b}, as bool. */
  public static Tensor less(Tensor a, Tensor b) {
    return Call.of(LT).tensor(a).tensor(b).result();
  }

  /** {@code a ≥ number}, as bool. */
  public static Tensor atLeast(Tensor a, double number) {
    return withScalar(GE, a, number);
  }

  /** Neither infinite nor NaN, as bool. */
  public static Tensor isFinite(Tensor a) {
    if (a.device().isMeta()) {
      return Tensors.empty(Dtype.BOOL, a.device(), a.shape());
    }
    return Call.of(IS_FINITE).tensor(a).result();
  }

  /** {@code condition ? a : b}; the condition has the result's shape. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    if (condition.device().isMeta()) {
      return Tensors.empty(a.dtype(), a.device(), condition.shape());
    }
    return Call.of(WHERE).tensor(condition).tensor(a).tensor(b).result();
  }

  private static Tensor withScalar(Operator operator, Tensor a, double number) {
    long scalar = Tensors.scalar(number);
    OperatorCall call = OperatorCall.of(operator).tensor(a.handle()).tensor(scalar);
    try {
      return Tensor.adopt(call.invoke().result(0), a.device());
    } catch (DuokaException e) {
      throw Call.failure(operator + " with " + number, e, a);
    } finally {
      TensorHandle.delete(scalar);
    }
  }

  /** The fp64 of the number wins over a 0-dimensional tensor's dtype; this goes back to it. */
  private static Tensor inDtypeOf(Tensor a, Tensor result) {
    if (!a.dtype().isFloating() || result.dtype() == a.dtype()) {
      return result;
    }
    try (result) {
      return Copies.cast(result, a.dtype());
    }
  }
}
