package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What can be done with one tensor handle; see the package for who owns it. */
public final class TensorHandle {
  private TensorHandle() {}

  /** Another handle of the same tensor, with a life of its own. */
  public static long share(long handle) {
    return create(TorchFunctions.NEW_TENSOR_HANDLE, handle, "aoti_torch_new_tensor_handle");
  }

  /** An undefined tensor, for typed functions that take one. */
  public static long undefined() {
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check(
          (int) TorchFunctions.NEW_UNINITIALIZED.invokeExact(scratch.out),
          "aoti_torch_new_uninitialized_tensor");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  /** Gives the handle back; the tensor's memory is freed with its last handle. */
  public static void delete(long handle) {
    try {
      NativeFailure.check(
          (int) TorchFunctions.DELETE_TENSOR.invokeExact(handle),
          "aoti_torch_delete_tensor_object");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * A new tensor with undefined contents.
   *
   * @param pinned page-locked host memory, for a CPU tensor in a CUDA build
   */
  public static long empty(
      long[] sizes, long[] strides, int dtype, int deviceType, int deviceIndex, boolean pinned) {
    Scratch scratch = Scratch.ofThread();
    MethodHandle function =
        pinned ? TorchFunctions.EMPTY_STRIDED_PINNED : TorchFunctions.EMPTY_STRIDED;
    try {
      NativeFailure.check(
          (int)
              function.invokeExact(
                  (long) sizes.length,
                  Scratch.fill(scratch.first, sizes),
                  Scratch.fill(scratch.second, strides),
                  dtype,
                  deviceType,
                  deviceIndex,
                  scratch.out),
          "aoti_torch_empty_strided");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  /**
   * A view of the same storage with other sizes and strides.
   *
   * @param offset in elements from where {@code handle} starts, not from the storage's start
   */
  public static long view(long handle, long[] sizes, long[] strides, long offset) {
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check(
          (int)
              TorchFunctions.REINTERPRET.invokeExact(
                  handle,
                  (long) sizes.length,
                  Scratch.fill(scratch.first, sizes),
                  Scratch.fill(scratch.second, strides),
                  offset,
                  scratch.out),
          "aoti_torch__reinterpret_tensor");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  /** The sizes, one per dimension. */
  public static long[] sizes(long handle) {
    return array(TorchFunctions.SIZES, handle);
  }

  /** The strides in elements, one per dimension. */
  public static long[] strides(long handle) {
    return array(TorchFunctions.STRIDES, handle);
  }

  /** LibTorch's code of the dtype. */
  public static int dtype(long handle) {
    return (int) get(TorchFunctions.DTYPE, handle);
  }

  /** LibTorch's code of the device type. */
  public static int deviceType(long handle) {
    return (int) get(TorchFunctions.DEVICE_TYPE, handle);
  }

  /** The device's index; −1 for the CPU. */
  public static int deviceIndex(long handle) {
    return (int) get(TorchFunctions.DEVICE_INDEX, handle);
  }

  /** The address of the first element, on the tensor's device. */
  public static long dataPointer(long handle) {
    return get(TorchFunctions.DATA_POINTER, handle);
  }

  /** Where the tensor starts in its storage, in elements. */
  public static long storageOffset(long handle) {
    return get(TorchFunctions.STORAGE_OFFSET, handle);
  }

  /** The size of the storage in bytes. */
  public static long storageBytes(long handle) {
    return get(TorchFunctions.STORAGE_SIZE, handle);
  }

  /**
   * The memory of a CPU tensor as a buffer in native byte order. It is valid only as long as the
   * tensor lives; the caller keeps it alive.
   *
   * @param byteOffset from the tensor's first element
   * @param byteLength at most 2 GiB − 1
   */
  @SuppressWarnings("restricted") // the memory belongs to a live CPU tensor
  public static ByteBuffer hostMemory(long handle, long byteOffset, int byteLength) {
    return MemorySegment.ofAddress(dataPointer(handle) + byteOffset)
        .reinterpret(byteLength)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }

  /**
   * As {@link #hostMemory}, of any length.
   *
   * @param byteLength of the whole tensor
   */
  @SuppressWarnings("restricted") // the memory belongs to a live CPU tensor
  public static HostMemory hostSegment(long handle, long byteLength) {
    return new HostMemory(MemorySegment.ofAddress(dataPointer(handle)).reinterpret(byteLength));
  }

  private static long[] array(MethodHandle getter, long handle) {
    int dim = (int) get(TorchFunctions.DIM, handle);
    long address = get(getter, handle);
    return values(address, dim);
  }

  @SuppressWarnings("restricted") // LibTorch's array of exactly dim values
  private static long[] values(long address, int dim) {
    return dim == 0
        ? new long[0]
        : MemorySegment.ofAddress(address).reinterpret(8L * dim).toArray(JAVA_LONG);
  }

  private static long get(MethodHandle getter, long handle) {
    Scratch scratch = Scratch.ofThread();
    scratch.out.set(JAVA_LONG, 0, 0);
    try {
      NativeFailure.check((int) getter.invokeExact(handle, scratch.out), "a tensor's getter");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  private static long create(MethodHandle function, long handle, String name) {
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check((int) function.invokeExact(handle, scratch.out), name);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }
}
