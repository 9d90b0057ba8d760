package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.duoka.ffi.link.NativeFunctions;

/**
 * A mark on a stream, to measure time on the device and to order streams.
 *
 * <p>Thread-safe except for {@link #close}, which the owner calls once nobody uses it.
 */
public final class CudaEvent implements AutoCloseable {
  private static final int DEFAULT_FLAGS = 0;

  private final CudaFunctions functions;
  private final int ordinal;
  private long handle;

  private CudaEvent(CudaFunctions functions, int ordinal, long handle) {
    this.functions = functions;
    this.ordinal = ordinal;
    this.handle = handle;
  }

  static CudaEvent create(CudaFunctions functions, int ordinal) {
    CallMemory memory = CallMemory.ofThread();
    try {
      CudaErrors.check(
          functions,
          (int) functions.createEvent.invokeExact(memory.out, DEFAULT_FLAGS),
          "cuEventCreate on cuda:" + ordinal);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaEvent(functions, ordinal, memory.outLong());
  }

  /** Marks what was issued to a stream so far; a later call moves the mark. */
  public void record(long stream) {
    try {
      check((int) functions.recordEvent.invokeExact(handle, stream), "cuEventRecord");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Whether the device has passed the mark. */
  public boolean passed() {
    try {
      int result = (int) functions.queryEvent.invokeExact(handle);
      if (result == CudaErrors.NOT_READY) {
        return false;
      }
      check(result, "cuEventQuery");
      return true;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Waits until the device has passed the mark. */
  public void synchronize() {
    try {
      check((int) functions.synchronizeEvent.invokeExact(handle), "cuEventSynchronize");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Lets later work on a stream wait, on the device, for the mark. */
  public void holdBack(long stream) {
    try {
      check((int) functions.waitForEvent.invokeExact(stream, handle, 0), "cuStreamWaitEvent");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Milliseconds on the device between an earlier mark and this one, both passed. */
  public double millisecondsSince(CudaEvent start) {
    CallMemory memory = CallMemory.ofThread();
    try {
      check(
          (int) functions.elapsedTime.invokeExact(memory.out, start.handle, handle),
          "cuEventElapsedTime");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.out.get(JAVA_FLOAT, 0);
  }

  @Override
  public void close() {
    if (handle != 0) {
      long closing = handle;
      handle = 0;
      try {
        check((int) functions.destroyEvent.invokeExact(closing), "cuEventDestroy");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  private void check(int result, String function) {
    if (result != CudaErrors.SUCCESS) {
      throw CudaErrors.of(functions, result, function + " on cuda:" + ordinal);
    }
  }
}
