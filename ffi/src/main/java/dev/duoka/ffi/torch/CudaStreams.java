package dev.duoka.ffi.torch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** LibTorch's notion of the calling thread's CUDA device and stream. */
public final class CudaStreams {
  private CudaStreams() {}

  /** Makes {@code device} the calling thread's current device, for good. */
  public static void useDevice(int device) {
    // The guard would restore the former device when deleted; a rank's thread never wants that.
    call(TorchFunctions.CREATE_CUDA_GUARD.orElseThrow(CudaStreams::noCuda), device);
  }

  /** The {@code cudaStream_t} on which LibTorch launches for the calling thread. */
  public static long current(int device) {
    return call(TorchFunctions.CURRENT_CUDA_STREAM.orElseThrow(CudaStreams::noCuda), device);
  }

  /**
   * Runs something with another stream as the one on which LibTorch launches for the calling
   * thread, and then as before.
   */
  public static void on(long stream, int device, Runnable work) {
    try (Guard _ = Guard.of(stream, device)) {
      work.run();
    }
  }

  /** As long as it is open, LibTorch launches on another stream for the thread that made it. */
  private record Guard(long handle) implements AutoCloseable {
    static Guard of(long stream, int device) {
      MethodHandle create = TorchFunctions.CREATE_STREAM_GUARD.orElseThrow(CudaStreams::noCuda);
      Scratch scratch = Scratch.ofThread();
      try {
        NativeFailure.check(
            (int) create.invokeExact(MemorySegment.ofAddress(stream), device, scratch.out),
            "another CUDA stream");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
      return new Guard(scratch.outLong());
    }

    @Override
    public void close() {
      MethodHandle delete = TorchFunctions.DELETE_STREAM_GUARD.orElseThrow(CudaStreams::noCuda);
      try {
        NativeFailure.check((int) delete.invokeExact(handle), "the CUDA stream of before");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  /** LibTorch's cuBLAS handle for the calling thread, set to its current device and stream. */
  public static long blasHandle() {
    MethodHandle function = TorchFunctions.CURRENT_BLAS_HANDLE.orElseThrow(CudaStreams::noCuda);
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check((int) function.invokeExact(scratch.out), "the current cuBLAS handle");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  private static long call(MethodHandle function, int device) {
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check((int) function.invokeExact(device, scratch.out), "a CUDA stream call");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  private static DuokaException noCuda() {
    return new DuokaException(
        ErrorCode.NATIVE_LIBRARY,
        "CUDA was asked for, but the loaded LibTorch is a CPU build",
        "Install a CUDA build of PyTorch; './duoka env' shows which one was chosen");
  }
}
