package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Moves data between tensors and Java. Reading a GPU tensor waits for everything launched before it
 * on the stream; a {@code meta} tensor cannot be read.
 */
public final class HostCopy {
  /** Chunks of this size keep the buffers within Java's 2 GiB and the host memory small. */
  private static final int CHUNK_BYTES = 64 << 20;

  /** Receives or provides a part of a tensor's bytes, in native byte order. */
  @FunctionalInterface
  public interface ChunkConsumer {
    /**
     * Handles one part.
     *
     * @param offset where the part starts, in bytes
     */
    void accept(long offset, ByteBuffer chunk);
  }

  private HostCopy() {}

  /** A tensor from fp32 numbers, converted to {@code dtype}. */
  public static Tensor fromFloats(float[] values, Dtype dtype, Device device, long... shape) {
    check(values.length, shape);
    Tensor host = Tensors.empty(Dtype.FLOAT32, Device.CPU, shape);
    memory(host).asFloatBuffer().put(values);
    return place(host, dtype, device);
  }

  /** A tensor from fp64 numbers, converted to {@code dtype}. */
  public static Tensor fromDoubles(double[] values, Dtype dtype, Device device, long... shape) {
    check(values.length, shape);
    Tensor host = Tensors.empty(Dtype.FLOAT64, Device.CPU, shape);
    memory(host).asDoubleBuffer().put(values);
    return place(host, dtype, device);
  }

  /** An int64 tensor. */
  public static Tensor fromLongs(long[] values, Device device, long... shape) {
    check(values.length, shape);
    if (device.isCuda()) {
      // Page-locked, so that the host does not wait for what the device still has to do before; the
      // allocator keeps the memory until the copy is done.
      try (Tensor pinned = Tensors.emptyPinned(Dtype.INT64, shape)) {
        memory(pinned).asLongBuffer().put(values);
        Tensor copy = Tensors.empty(Dtype.INT64, device, shape);
        Copies.intoAsync(copy, pinned);
        return copy;
      }
    }
    Tensor host = Tensors.empty(Dtype.INT64, Device.CPU, shape);
    memory(host).asLongBuffer().put(values);
    return place(host, Dtype.INT64, device);
  }

  /** All elements as fp32; converts and, on a GPU, synchronises. */
  public static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.elements())];
    try (Tensor host = onHost(tensor, Dtype.FLOAT32)) {
      memory(host).asFloatBuffer().get(values);
    }
    return values;
  }

  /** All elements as fp64; converts and, on a GPU, synchronises. */
  public static double[] doubles(Tensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.elements())];
    try (Tensor host = onHost(tensor, Dtype.FLOAT64)) {
      memory(host).asDoubleBuffer().get(values);
    }
    return values;
  }

  /** All elements as int64; on a GPU, synchronises. */
  public static long[] longs(Tensor tensor) {
    long[] values = new long[Math.toIntExact(tensor.elements())];
    try (Tensor host = onHost(tensor, Dtype.INT64)) {
      memory(host).asLongBuffer().get(values);
    }
    return values;
  }

  /** All elements as int32; on a GPU, synchronises. */
  public static int[] ints(Tensor tensor) {
    int[] values = new int[Math.toIntExact(tensor.elements())];
    try (Tensor host = onHost(tensor, Dtype.INT32)) {
      memory(host).asIntBuffer().get(values);
    }
    return values;
  }

  /** The one element of a tensor; on a GPU, synchronises. */
  public static double item(Tensor tensor) {
    return doubles(tensor)[0];
  }

  /** The tensor's bytes in order, in parts of at most 64 MiB; on a GPU, synchronises. */
  public static void read(Tensor tensor, ChunkConsumer consumer) {
    transfer(tensor, consumer, false);
  }

  /** Overwrites a dense tensor with bytes that {@code provider} puts into each part. */
  public static void write(Tensor tensor, ChunkConsumer provider) {
    transfer(tensor, provider, true);
  }

  /**
   * The memory of a dense CPU tensor, for those who move its bytes themselves. It is valid only as
   * long as the tensor lives.
   */
  public static HostMemory memoryOf(Tensor tensor) {
    checkHasData(tensor);
    if (tensor.device().isCuda() || !tensor.isContiguous()) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot use the memory of " + tensor + ": it is no dense CPU tensor",
          "");
    }
    return tensor.elements() == 0
        ? HostMemory.NONE
        : TensorHandle.hostSegment(tensor.handle(), tensor.bytes());
  }

  private static void transfer(Tensor tensor, ChunkConsumer handler, boolean toTensor) {
    checkHasData(tensor);
    if (toTensor && !tensor.isContiguous()) { // it would go into a copy, and be lost
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot write into " + tensor + ": it is not dense", "");
    }
    awaitDevice(tensor);
    try (Tensor dense = Views.dense(tensor);
        Tensor flat = Views.reshape(dense, -1)) {
      long perChunk = CHUNK_BYTES / tensor.dtype().bytes();
      for (long start = 0; start < flat.size(0); start += perChunk) {
        long length = Math.min(perChunk, flat.size(0) - start);
        long offset = start * tensor.dtype().bytes();
        try (Tensor part = Views.narrow(flat, 0, start, length);
            Tensor host =
                toTensor && tensor.device().isCuda()
                    ? Tensors.empty(tensor.dtype(), Device.CPU, length)
                    : Copies.to(part, Device.CPU)) {
          handler.accept(offset, memory(host));
          if (toTensor && tensor.device().isCuda()) {
            Copies.into(part, host);
          }
        }
      }
    }
  }

  private static Tensor place(Tensor host, Dtype dtype, Device device) {
    if (host.dtype() == dtype && device.equals(Device.CPU)) {
      return host;
    }
    try (host;
        Tensor converted = Copies.cast(host, dtype)) {
      return Copies.to(converted, device);
    }
  }

  private static Tensor onHost(Tensor tensor, Dtype dtype) {
    checkHasData(tensor);
    awaitDevice(tensor);
    try (Tensor host = Copies.to(tensor, Device.CPU);
        Tensor dense = Views.dense(host)) {
      return Copies.cast(dense, dtype);
    }
  }

  /**
   * Waits for what the device does before it copies. A copy to memory that is not page-locked would
   * wait inside the driver and hold up the copies of other threads: of the one, too, that ends a
   * wait for a lost rank.
   */
  private static void awaitDevice(Tensor tensor) {
    if (tensor.device().isCuda()) {
      int device = tensor.device().index();
      CudaAvailability.check().orElseThrow().get(device).useOnThisThread();
      CudaDriver.find().orElseThrow().synchronize(CudaStreams.current(device));
    }
  }

  /** The memory of a dense CPU tensor of less than 2 GiB. */
  private static ByteBuffer memory(Tensor host) {
    if (host.elements() == 0) {
      return ByteBuffer.allocate(0).order(ByteOrder.nativeOrder());
    }
    return TensorHandle.hostMemory(host.handle(), 0, Math.toIntExact(host.bytes()));
  }

  private static void check(int values, long... shape) {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    if (elements != values) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          values + " values do not fill a tensor of shape " + Arrays.toString(shape),
          "");
    }
  }

  private static void checkHasData(Tensor tensor) {
    if (tensor.device().isMeta()) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot read or write " + tensor + ": it has no data", "");
    }
  }
}
