package dev.duoka.machine.environment;

import dev.duoka.ffi.library.LibraryChoice;
import java.util.List;
import java.util.Optional;

/**
 * What {@code duoka env} prints: which native libraries were chosen and why, what the machine has,
 * and whether it fits together. A tree of plain records, ready to be printed or turned into JSON.
 *
 * @param libTorch the LibTorch that was chosen and those passed over
 * @param cuda the GPUs as the CUDA driver shows them, and whether LibTorch can use them
 * @param nvml the GPUs as the management library shows them
 * @param libraries NVRTC, cuDNN and NCCL
 * @param java the Java runtime
 * @param host processor and memory
 * @param threads the threads of CPU operators
 */
public record EnvironmentReport(
    LibTorchFacts libTorch,
    CudaFacts cuda,
    NvmlFacts nvml,
    List<LibraryFacts> libraries,
    JavaFacts java,
    HostFacts host,
    ThreadFacts threads) {

  /** Keeps a copy of the list. */
  public EnvironmentReport {
    libraries = List.copyOf(libraries);
  }

  /**
   * Looks at this machine. Loads LibTorch, the driver and the libraries if they are not loaded yet;
   * what cannot be loaded appears with its reason, so that this never fails for it.
   */
  public static EnvironmentReport collect() {
    LibTorchFacts libTorch = LibTorchFacts.collect();
    NvmlFacts nvml = NvmlFacts.collect();
    Optional<LibraryChoice> loaded = libTorch.loaded();
    return new EnvironmentReport(
        libTorch,
        CudaFacts.collect(loaded, nvml),
        nvml,
        loaded.map(LibraryFacts::collect).orElse(List.of()),
        JavaFacts.collect(),
        HostFacts.collect(),
        loaded.isPresent() ? ThreadFacts.collect() : ThreadFacts.unknown());
  }
}
