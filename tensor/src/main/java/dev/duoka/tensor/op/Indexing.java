package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Selecting, gathering, scattering and sorting. Indices are int64. */
public final class Indexing {
  private static final Operator INDEX_SELECT = Operator.of("aten::index_select", "");
  private static final Operator GATHER = Operator.of("aten::gather", "");
  private static final Operator SCATTER_ADD = Operator.of("aten::scatter_add_", "");
  private static final Operator EMBEDDING_BACKWARD =
      Operator.of("aten::embedding_dense_backward", "");
  private static final Operator TOPK = Operator.of("aten::topk", "");
  private static final Operator TRIU_IN_PLACE = Operator.of("aten::triu_", "");
  private static final Operator BUCKETIZE = Operator.of("aten::bucketize", "Tensor");
  private static final Operator SORT = Operator.of("aten::sort", "stable");

  private Indexing() {}

  /** Rows of a matrix: {@code [n, w], [k] → [k, w]}. */
  public static Tensor rows(Tensor matrix, Tensor indices) {
    if (matrix.device().isMeta()) {
      long[] shape = matrix.shape();
      shape[0] = indices.elements();
      return Tensors.empty(matrix.dtype(), matrix.device(), shape);
    }
    return Call.of(INDEX_SELECT).tensor(matrix).integer(0).tensor(indices).result();
  }

  /**
   * Sums rows by index: row {@code i} of the result is the sum of the rows of {@code values} whose
   * index is i; the gradient of {@link #rows}.
   *
   * @param values {@code [k, w]}
   * @param indices {@code [k]}
   * @param rows the number of rows of the result
   */
  public static Tensor sumRows(Tensor values, Tensor indices, long rows) {
    if (values.device().isMeta()) {
      return Tensors.empty(values.dtype(), values.device(), rows, values.size(1));
    }
    return Call.of(EMBEDDING_BACKWARD)
        .tensor(values)
        .tensor(indices)
        .integer(rows)
        .integer(-1)
        .bool(false)
        .result();
  }

  /** {@code result[i][j] = tensor[i][indices[i][j]]} along {@code dim}. */
  public static Tensor gather(Tensor tensor, int dim, Tensor indices) {
    return Call.of(GATHER).tensor(tensor).integer(dim).tensor(indices).bool(false).result();
  }

  /** {@code target[i][indices[i][j]] += values[i][j]} along {@code dim}. */
  public static void scatterAdd(Tensor target, int dim, Tensor indices, Tensor values) {
    Call.of(SCATTER_ADD).tensor(target).integer(dim).tensor(indices).tensor(values).inPlace();
  }

  /**
   * How many of some ascending numbers are smaller than each element of an fp32 tensor: int32, of
   * the same shape.
   */
  public static Tensor above(Tensor tensor, float[] ascending) {
    try (Tensor bounds =
        HostCopy.fromFloats(ascending, Dtype.FLOAT32, tensor.device(), ascending.length)) {
      if (tensor.device().isMeta()) {
        return Tensors.empty(Dtype.INT32, tensor.device(), tensor.shape());
      }
      return Call.of(BUCKETIZE).tensor(tensor).tensor(bounds).bool(true).bool(false).result();
    }
  }

  /** The {@code k} largest values of the last dimension, largest first, and their indices. */
  public static Tensor[] topk(Tensor tensor, int k) {
    return Call.of(TOPK).tensor(tensor).integer(k).integer(-1).bool(true).bool(true).results(2);
  }

  /** The indices that sort a vector in ascending order, equal elements in their order. */
  public static Tensor sortedOrder(Tensor vector) {
    Tensor[] sorted =
        Call.of(SORT).tensor(vector).optionalInteger(1).integer(0).bool(false).results(2);
    sorted[0].close();
    return sorted[1];
  }

  /**
   * Sets to 0 what lies below a diagonal of a matrix.
   *
   * @param diagonal how far to the right of the main one
   */
  public static void keepUpperTriangle(Tensor target, long diagonal) {
    if (!target.device().isMeta()) {
      Call.of(TRIU_IN_PLACE).tensor(target).integer(diagonal).inPlace();
    }
  }

  /** How often each of the numbers 0 to {@code classes − 1} occurs: int64 {@code [classes]}. */
  public static Tensor counts(Tensor indices, long classes) {
    Tensor counts = Tensors.zeros(Dtype.INT64, indices.device(), classes);
    try (Tensor flat = Views.reshape(indices, -1);
        Tensor ones = Tensors.full(1, Dtype.INT64, indices.device(), flat.size(0))) {
      scatterAdd(counts, 0, flat, ones);
    }
    return counts;
  }
}
