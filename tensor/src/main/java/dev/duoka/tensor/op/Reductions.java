package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Tensor;

/** Sums, extremes and scans. */
public final class Reductions {
  private static final Operator SUM = Operator.of("aten::sum", "dim_IntList");
  private static final Operator SUM_ALL = Operator.of("aten::sum", "");
  private static final Operator MEAN = Operator.of("aten::mean", "dim");
  private static final Operator AMAX = Operator.of("aten::amax", "");
  private static final Operator AMIN = Operator.of("aten::amin", "");
  private static final Operator ARGMAX = Operator.of("aten::argmax", "");
  private static final Operator LOG_SUM_EXP = Operator.of("aten::logsumexp", "");
  private static final Operator CUMSUM = Operator.of("aten::cumsum", "");
  private static final Operator DOT = Operator.of("aten::dot", "");

  private Reductions() {}

  /** The sum along one dimension, in the tensor's dtype. */
  public static Tensor sum(Tensor tensor, int dim, boolean keepDim) {
    return Call.of(SUM).tensor(tensor).optionalIntegers(dim).bool(keepDim).none().result();
  }

  /** The sum of all elements, 0-dimensional. */
  public static Tensor sum(Tensor tensor) {
    return Call.of(SUM_ALL).tensor(tensor).none().result();
  }

  /** The mean along one dimension. */
  public static Tensor mean(Tensor tensor, int dim, boolean keepDim) {
    return Call.of(MEAN).tensor(tensor).optionalIntegers(dim).bool(keepDim).none().result();
  }

  /** The largest value along the given dimensions, or of all elements when none is given. */
  public static Tensor max(Tensor tensor, boolean keepDim, long... dims) {
    return Call.of(AMAX).tensor(tensor).integers(dims).bool(keepDim).result();
  }

  /** The smallest value along the given dimensions, or of all elements when none is given. */
  public static Tensor min(Tensor tensor, boolean keepDim, long... dims) {
    return Call.of(AMIN).tensor(tensor).integers(dims).bool(keepDim).result();
  }

  /** The index of the largest value along one dimension, int64. */
  public static Tensor argmax(Tensor tensor, int dim) {
    return Call.of(ARGMAX).tensor(tensor).optionalInteger(dim).bool(false).result();
  }

  /** {@code log Σ exp} along the last dimension, which is kept with size 1. */
  public static Tensor logSumExp(Tensor tensor) {
    if (tensor.device().isMeta()) {
      long[] shape = tensor.shape();
      shape[shape.length - 1] = 1;
      return Tensors.empty(tensor.dtype(), tensor.device(), shape);
    }
    return Call.of(LOG_SUM_EXP).tensor(tensor).integers(-1).bool(true).result();
  }

  /** Running sums along one dimension, in the tensor's dtype (int64 for integers). */
  public static Tensor cumulativeSum(Tensor tensor, int dim) {
    return Call.of(CUMSUM).tensor(tensor).integer(dim).none().result();
  }

  /** {@code Σ a · b} of two vectors, 0-dimensional. */
  public static Tensor dot(Tensor a, Tensor b) {
    if (a.device().isMeta()) {
      return Tensors.empty(a.dtype(), a.device());
    }
    return Call.of(DOT).tensor(a).tensor(b).result();
  }
}
