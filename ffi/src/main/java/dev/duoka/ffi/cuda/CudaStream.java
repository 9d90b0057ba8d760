package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.duoka.ffi.link.NativeFunctions;

/** A stream of our own, which waits for no other. The owner closes it when nobody uses it. */
public final class CudaStream implements AutoCloseable {
  /** It does not wait for the legacy default stream. */
  private static final int NON_BLOCKING = 1;

  private final CudaFunctions functions;
  private final int ordinal;
  private long handle;

  private CudaStream(CudaFunctions functions, int ordinal, long handle) {
    this.functions = functions;
    this.ordinal = ordinal;
    this.handle = handle;
  }

  static CudaStream create(CudaFunctions functions, int ordinal) {
    CallMemory memory = CallMemory.ofThread();
    try {
      CudaErrors.check(
          functions,
          (int) functions.createStream.invokeExact(memory.out, NON_BLOCKING),
          "cuStreamCreate on cuda:" + ordinal);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaStream(functions, ordinal, memory.outLong());
  }

  static CudaStream createUrgent(CudaFunctions functions, int ordinal) {
    CallMemory memory = CallMemory.ofThread();
    try {
      CudaErrors.check(
          functions,
          (int) functions.streamPriorities.invokeExact(memory.out, memory.second),
          "cuCtxGetStreamPriorityRange on cuda:" + ordinal);
      int greatest = memory.second.get(JAVA_INT, 0);
      CudaErrors.check(
          functions,
          (int) functions.createStreamWithPriority.invokeExact(memory.out, NON_BLOCKING, greatest),
          "cuStreamCreateWithPriority on cuda:" + ordinal);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaStream(functions, ordinal, memory.outLong());
  }

  /** The {@code CUstream}. */
  public long handle() {
    return handle;
  }

  @Override
  public void close() {
    if (handle != 0) {
      long closing = handle;
      handle = 0;
      try {
        CudaErrors.check(
            functions,
            (int) functions.destroyStream.invokeExact(closing),
            "cuStreamDestroy on cuda:" + ordinal);
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }
}
