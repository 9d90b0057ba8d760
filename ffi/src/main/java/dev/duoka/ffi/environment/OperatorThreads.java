package dev.duoka.ffi.environment;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.torch.LibTorch;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;

/**
 * The threads that CPU operators of the calling thread use.
 *
 * @param openMp threads of one operator; empty where LibTorch brings no OpenMP of its own
 * @param openBlas threads of one matrix product; empty where OpenBLAS is not used
 */
public record OperatorThreads(Optional<Integer> openMp, Optional<Integer> openBlas) {
  /** Asks the libraries; loads LibTorch. */
  public static OperatorThreads now() {
    LibTorch.load();
    NativeFunctions loaded = new NativeFunctions("LibTorch", SymbolLookup.loaderLookup());
    return new OperatorThreads(
        number(loaded, "omp_get_max_threads"), number(loaded, "openblas_get_num_threads"));
  }

  private static Optional<Integer> number(NativeFunctions functions, String name) {
    return functions
        .optional(name, FunctionDescriptor.of(JAVA_INT))
        .map(
            handle -> {
              try {
                return (int) handle.invokeExact();
              } catch (Throwable t) {
                throw NativeFunctions.unexpected(t);
              }
            });
  }
}
