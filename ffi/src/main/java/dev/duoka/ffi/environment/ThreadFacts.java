package dev.duoka.ffi.environment;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.torch.LibTorch;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;

/**
 * The threads that CPU operators use unless a run says otherwise.
 *
 * @param openMp threads of one operator; empty where LibTorch brings no OpenMP of its own
 * @param openBlas threads of one matrix product; empty where OpenBLAS is not used
 * @param ompNumThreads the environment variable {@code OMP_NUM_THREADS}; empty when unset
 */
public record ThreadFacts(
    Optional<Integer> openMp, Optional<Integer> openBlas, Optional<String> ompNumThreads) {

  static ThreadFacts collect() {
    LibTorch.load();
    NativeFunctions loaded = new NativeFunctions("LibTorch", SymbolLookup.loaderLookup());
    return new ThreadFacts(
        number(loaded, "omp_get_max_threads"),
        number(loaded, "openblas_get_num_threads"),
        Optional.ofNullable(System.getenv("OMP_NUM_THREADS")));
  }

  static ThreadFacts unknown() {
    return new ThreadFacts(Optional.empty(), Optional.empty(), Optional.empty());
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
