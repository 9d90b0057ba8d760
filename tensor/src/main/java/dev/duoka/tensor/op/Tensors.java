package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.ffi.torch.TypedFunctions;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Makes tensors. */
public final class Tensors {
  private static final Operator ZERO = Operator.of("aten::zero_", "");
  private static final Operator CLONE = Operator.of("aten::clone", "");

  private Tensors() {}

  /** A dense tensor with undefined contents. */
  public static Tensor empty(Dtype dtype, Device device, long... shape) {
    return allocate(dtype, device, false, shape);
  }

  /** A dense CPU tensor in page-locked memory, for copies that overlap with CUDA kernels. */
  public static Tensor emptyPinned(Dtype dtype, long... shape) {
    return allocate(dtype, Device.CPU, true, shape);
  }

  /** A dense tensor of zeros. */
  public static Tensor zeros(Dtype dtype, Device device, long... shape) {
    Tensor tensor = empty(dtype, device, shape);
    zero(tensor);
    return tensor;
  }

  /** A dense tensor with every element set to {@code value}. */
  public static Tensor full(double value, Dtype dtype, Device device, long... shape) {
    Tensor tensor = empty(dtype, device, shape);
    fill(tensor, value);
    return tensor;
  }

  /** Sets every element to zero. */
  public static void zero(Tensor tensor) {
    Call.of(ZERO).tensor(tensor).inPlace();
  }

  /** Sets every element to {@code value}. */
  public static void fill(Tensor tensor, double value) {
    TypedFunctions.fill(tensor.handle(), value);
  }

  /** A dense copy. */
  public static Tensor copyOf(Tensor tensor) {
    return Call.of(CLONE).tensor(tensor).none().result();
  }

  /**
   * A number for operators that take a tensor where they mean a number. It is 0-dimensional and on
   * the CPU, so it neither changes the other operand's dtype, unless that is 0-dimensional too, nor
   * needs a copy to its device. The caller deletes the handle, which may be done right after the
   * call: kernels receive the number by value.
   */
  static long scalar(double value) {
    long[] none = {};
    long handle =
        TensorHandle.empty(none, none, Dtype.FLOAT64.code(), Device.CPU.typeCode(), -1, false);
    TensorHandle.hostMemory(handle, 0, 8).putDouble(value);
    return handle;
  }

  /** Row-major strides of a dense tensor. */
  static long[] denseStrides(long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int dim = shape.length - 1; dim >= 0; dim--) {
      strides[dim] = stride;
      stride *= Math.max(shape[dim], 1);
    }
    return strides;
  }

  private static Tensor allocate(Dtype dtype, Device device, boolean pinned, long... shape) {
    long bytes = dtype.bytes();
    for (long size : shape) {
      bytes *= size;
    }
    OutOfMemory.requireRoom(device, bytes);
    long handle;
    try {
      handle =
          TensorHandle.empty(
              shape,
              denseStrides(shape),
              dtype.code(),
              device.typeCode(),
              device.torchIndex(),
              pinned);
    } catch (DuokaException e) {
      throw OutOfMemory.allocation(device, bytes, e);
    }
    return Tensor.adopt(handle, device);
  }
}
