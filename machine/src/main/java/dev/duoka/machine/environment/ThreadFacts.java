package dev.duoka.machine.environment;

import dev.duoka.ffi.torch.LibTorch;
import dev.duoka.ffi.torch.Threads;
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
    return new ThreadFacts(
        Threads.ofOperators(),
        Threads.ofMatrixProducts(),
        Optional.ofNullable(System.getenv("OMP_NUM_THREADS")));
  }

  static ThreadFacts unknown() {
    return new ThreadFacts(Optional.empty(), Optional.empty(), Optional.empty());
  }
}
