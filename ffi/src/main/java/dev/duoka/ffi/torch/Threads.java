package dev.duoka.ffi.torch;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** How many CPU threads operators and matrix products use. */
public final class Threads {
  private Threads() {}

  /**
   * Sets the number of OpenMP threads of the operators that the calling thread runs.
   *
   * <p>The count belongs to the calling thread: ranks that share a process each set their own.
   */
  public static void useForThisThread(int threads) {
    try {
      // LibTorch sets its own default at the first parallel operator of a thread; this getter makes
      // it do so now, so that it does not overwrite the value set below.
      NativeFailure.check(
          (int) TorchFunctions.INTRA_OP_THREADS.invokeExact(Scratch.ofThread().out),
          "torch_get_num_threads");
      if (TorchFunctions.OMP_SET_THREADS.isPresent()) {
        TorchFunctions.OMP_SET_THREADS.get().invokeExact(threads);
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Sets the number of threads of one matrix product in OpenBLAS, for the whole process. With more
   * than one, concurrent callers wait for each other: use 1 when several ranks share the process.
   */
  public static void useForMatrixProducts(int threads) {
    try {
      if (TorchFunctions.OPENBLAS_SET_THREADS.isPresent()) {
        TorchFunctions.OPENBLAS_SET_THREADS.get().invokeExact(threads);
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Threads of one operator of this thread; empty where LibTorch brings no OpenMP of its own. */
  public static Optional<Integer> ofOperators() {
    return number(TorchFunctions.OMP_GET_THREADS);
  }

  /** Threads of one matrix product; empty where OpenBLAS is not used. */
  public static Optional<Integer> ofMatrixProducts() {
    return number(TorchFunctions.OPENBLAS_GET_THREADS);
  }

  private static Optional<Integer> number(Optional<MethodHandle> function) {
    return function.map(
        handle -> {
          try {
            return (int) handle.invokeExact();
          } catch (Throwable t) {
            throw NativeFunctions.unexpected(t);
          }
        });
  }
}
