package dev.duoka.tensor;

import dev.duoka.ffi.torch.TensorHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A multi-dimensional array on a device: a shape, a dtype and a native handle.
 *
 * <p>It belongs to the {@link Scope} it was made in, or to the caller when no scope was open.
 * Closing frees this view; the memory is freed with the last tensor that shares it. A tensor may be
 * read by several threads, but is written and closed by one. Use after close throws.
 */
public final class Tensor implements AutoCloseable {
  private final AtomicLong handle;
  private final long[] shape;
  private final Dtype dtype;
  private final Device device;
  private final Storage storage;
  @Nullable Scope scope;

  private Tensor(long handle, long[] shape, Dtype dtype, Device device, Storage storage) {
    this.handle = new AtomicLong(handle);
    this.shape = shape;
    this.dtype = dtype;
    this.device = device;
    this.storage = storage;
    Scope.adopt(this);
  }

  /** Wraps a native result with memory of its own; takes over the handle. */
  public static Tensor adopt(long handle, Device device) {
    Storage storage = new Storage(device, Scope.currentOwner(), TensorHandle.storageBytes(handle));
    return new Tensor(
        handle,
        TensorHandle.sizes(handle),
        Dtype.ofCode(TensorHandle.dtype(handle)),
        device,
        storage);
  }

  /** Wraps a native view of this tensor's memory; takes over the handle. */
  public Tensor adoptView(long viewHandle) {
    return new Tensor(
        viewHandle,
        TensorHandle.sizes(viewHandle),
        Dtype.ofCode(TensorHandle.dtype(viewHandle)),
        device,
        storage.retain());
  }

  /** Another tensor on the same memory, with a life of its own in the current scope. */
  public Tensor share() {
    return new Tensor(TensorHandle.share(handle()), shape, dtype, device, storage.retain());
  }

  /** Books the memory, that of all tensors that share it, on another owner from now on. */
  public void bookOn(MemoryOwner owner) {
    storage.bookOn(owner);
  }

  /** The native handle, borrowed. */
  public long handle() {
    long value = handle.get();
    if (value == 0) {
      throw new IllegalStateException(
          "tensor "
              + this
              + " was used after it was closed; run with -D"
              + LiveTensors.PROPERTY
              + "=true to see where tensors are made");
    }
    return value;
  }

  /** A copy of the sizes, outermost dimension first. */
  public long[] shape() {
    return shape.clone();
  }

  /** The number of dimensions. */
  public int rank() {
    return shape.length;
  }

  /** The size of dimension {@code dim}; negative counts from the end. */
  public long size(int dim) {
    return shape[dim < 0 ? dim + shape.length : dim];
  }

  /** The number of elements. */
  public long elements() {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    return product;
  }

  /** The bytes that the elements take when stored densely. */
  public long bytes() {
    return elements() * dtype.bytes();
  }

  /** The element type. */
  public Dtype dtype() {
    return dtype;
  }

  /** Where the data is. */
  public Device device() {
    return device;
  }

  /** How many elements apart neighbours of each dimension are. */
  public long[] strides() {
    return TensorHandle.strides(handle());
  }

  /** Whether the elements lie densely in row-major order. */
  public boolean isContiguous() {
    if (elements() == 0) {
      return true;
    }
    long[] strides = strides();
    long expected = 1;
    for (int dim = shape.length - 1; dim >= 0; dim--) {
      if (shape[dim] != 1) {
        if (strides[dim] != expected) {
          return false;
        }
        expected *= shape[dim];
      }
    }
    return true;
  }

  /** Whether {@link #close} was called. */
  public boolean isClosed() {
    return handle.get() == 0;
  }

  /** Frees this view now rather than at the end of its scope; closing twice does nothing. */
  @Override
  public void close() {
    long value = handle.getAndSet(0);
    if (value != 0) {
      TensorHandle.delete(value);
      storage.release();
    }
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape) + "@" + device;
  }
}
