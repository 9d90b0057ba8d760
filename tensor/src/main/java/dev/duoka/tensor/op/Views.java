package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import java.util.Arrays;

/** Other shapes of the same memory. Nothing is copied or launched, unless a method says so. */
public final class Views {
  private static final Operator VIEW_AS_DTYPE = Operator.of("aten::view", "dtype");

  private Views() {}

  /**
   * The same elements in another shape; the tensor must be dense.
   *
   * @param shape one size may be −1 and is then derived
   */
  public static Tensor reshape(Tensor tensor, long... shape) {
    long[] resolved = resolve(tensor, shape);
    if (!tensor.isContiguous()) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot view " + tensor + " as " + Arrays.toString(shape) + ": it is not dense",
          "Make it dense first");
    }
    return view(tensor, resolved, Tensors.denseStrides(resolved), 0);
  }

  /** Elements {@code start} to {@code start + length} of one dimension. */
  public static Tensor narrow(Tensor tensor, int dim, long start, long length) {
    int axis = axis(tensor, dim);
    if (start < 0 || length < 0 || start + length > tensor.size(axis)) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot take "
              + length
              + " elements from "
              + start
              + " of dimension "
              + dim
              + " of "
              + tensor,
          "");
    }
    long[] shape = tensor.shape();
    long[] strides = TensorHandle.strides(tensor.handle());
    shape[axis] = length;
    return view(tensor, shape, strides, start * strides[axis]);
  }

  /** A dimension of size {@code outer · n} as two, {@code [..., outer, n, ...]}. */
  public static Tensor unflatten(Tensor tensor, int dim, long outer) {
    int axis = axis(tensor, dim);
    if (outer <= 0 || tensor.size(axis) % outer != 0) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot split dimension " + dim + " of " + tensor + " into " + outer + " parts",
          "");
    }
    long[] strides = TensorHandle.strides(tensor.handle());
    long inner = tensor.size(axis) / outer;
    long[] shape = withAxis(tensor.shape(), axis, outer, inner);
    return view(tensor, shape, withAxis(strides, axis, strides[axis] * inner, strides[axis]), 0);
  }

  /** Two dimensions exchanged. */
  public static Tensor transpose(Tensor tensor, int first, int second) {
    int a = axis(tensor, first);
    int b = axis(tensor, second);
    long[] shape = tensor.shape();
    long[] strides = TensorHandle.strides(tensor.handle());
    swap(shape, a, b);
    swap(strides, a, b);
    return view(tensor, shape, strides, 0);
  }

  /** A new dimension of size 1 before dimension {@code dim}. */
  public static Tensor unsqueeze(Tensor tensor, int dim) {
    int axis = dim < 0 ? dim + tensor.rank() + 1 : dim;
    long[] shape = insert(tensor.shape(), axis, 1);
    long[] strides = insert(TensorHandle.strides(tensor.handle()), axis, 0);
    return view(tensor, shape, strides, 0);
  }

  /** A dimension of size 1 repeated without copying, by a stride of 0. */
  public static Tensor expand(Tensor tensor, int dim, long size) {
    int axis = axis(tensor, dim);
    if (tensor.size(axis) != 1) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot expand dimension " + dim + " of " + tensor, "");
    }
    long[] shape = tensor.shape();
    long[] strides = TensorHandle.strides(tensor.handle());
    shape[axis] = size;
    strides[axis] = 0;
    return view(tensor, shape, strides, 0);
  }

  /** One index of the outermost dimension, without that dimension. */
  public static Tensor row(Tensor tensor, long index) {
    if (tensor.rank() == 0 || index < 0 || index >= tensor.size(0)) {
      throw new DuokaException(ErrorCode.TENSOR, "there is no row " + index + " in " + tensor, "");
    }
    long[] shape = tensor.shape();
    long[] strides = TensorHandle.strides(tensor.handle());
    return view(
        tensor,
        Arrays.copyOfRange(shape, 1, shape.length),
        Arrays.copyOfRange(strides, 1, strides.length),
        index * strides[0]);
  }

  /** The tensor itself if it is dense, else a dense copy; either way a tensor of its own. */
  public static Tensor dense(Tensor tensor) {
    return tensor.isContiguous() ? tensor.share() : Copies.dense(tensor);
  }

  /**
   * The same bytes as numbers of another type, along the last dimension; the tensor must be dense,
   * and start at a whole number.
   */
  public static Tensor reinterpret(Tensor tensor, Dtype dtype) {
    return Call.of(VIEW_AS_DTYPE).tensor(tensor).dtype(dtype).view();
  }

  /**
   * A dense part of a dense tensor in another shape.
   *
   * @param offset where the part starts, in elements
   */
  public static Tensor slice(Tensor flat, long offset, long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    boolean dense = flat.isContiguous();
    if (!dense || offset < 0 || length < 0 || offset + length > flat.elements()) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot take "
              + Arrays.toString(shape)
              + " from "
              + offset
              + " of "
              + flat
              + (dense ? "" : ", which is not dense"),
          "");
    }
    return view(flat, shape, Tensors.denseStrides(shape), offset);
  }

  /**
   * Elements of dense memory in any layout.
   *
   * @param strides how many elements apart neighbours of each dimension are
   */
  public static Tensor strided(Tensor flat, long[] shape, long[] strides) {
    long last = 0;
    for (int dim = 0; dim < shape.length; dim++) {
      last += (shape[dim] - 1) * strides[dim];
    }
    if (!flat.isContiguous() || last >= flat.elements()) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot take "
              + Arrays.toString(shape)
              + " with strides "
              + Arrays.toString(strides)
              + " from "
              + flat,
          "");
    }
    return view(flat, shape, strides, 0);
  }

  /** Where the first element is in the device's memory: tells whether two views are the same. */
  public static long addressOf(Tensor tensor) {
    return TensorHandle.dataPointer(tensor.handle());
  }

  private static Tensor view(Tensor tensor, long[] shape, long[] strides, long offset) {
    return tensor.adoptView(TensorHandle.view(tensor.handle(), shape, strides, offset));
  }

  private static long[] resolve(Tensor tensor, long[] shape) {
    long[] resolved = shape.clone();
    long known = 1;
    int unknown = -1;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] == -1) {
        unknown = i;
      } else {
        known *= shape[i];
      }
    }
    if (unknown >= 0) {
      resolved[unknown] = known == 0 ? 0 : tensor.elements() / known;
      known *= resolved[unknown];
    }
    if (known != tensor.elements()) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot view " + tensor + " as " + Arrays.toString(shape), "");
    }
    return resolved;
  }

  /** {@code sizes} with two numbers in the place of one. */
  private static long[] withAxis(long[] sizes, int axis, long first, long second) {
    long[] result = new long[sizes.length + 1];
    System.arraycopy(sizes, 0, result, 0, axis);
    result[axis] = first;
    result[axis + 1] = second;
    System.arraycopy(sizes, axis + 1, result, axis + 2, sizes.length - axis - 1);
    return result;
  }

  private static int axis(Tensor tensor, int dim) {
    int axis = dim < 0 ? dim + tensor.rank() : dim;
    if (axis < 0 || axis >= tensor.rank()) {
      throw new DuokaException(ErrorCode.TENSOR, tensor + " has no dimension " + dim, "");
    }
    return axis;
  }

  private static void swap(long[] values, int a, int b) {
    long value = values[a];
    values[a] = values[b];
    values[b] = value;
  }

  private static long[] insert(long[] values, int at, long value) {
    long[] result = new long[values.length + 1];
    System.arraycopy(values, 0, result, 0, at);
    result[at] = value;
    System.arraycopy(values, at, result, at + 1, values.length - at);
    return result;
  }
}
