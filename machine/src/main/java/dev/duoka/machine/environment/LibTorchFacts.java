package dev.duoka.machine.environment;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.cuda.CudaVersion;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.LibrarySearch;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.torch.LibTorch;
import java.util.List;
import java.util.Optional;

/**
 * The LibTorch of this process.
 *
 * @param chosen the one that the search chose; empty when there is none to use
 * @param considered every installation looked at, in order, with the reason for each
 * @param abiVersion the version of the C ABI of the loaded library
 * @param cudaVersion the CUDA version of the build; empty for a CPU build
 * @param problem why none could be chosen or loaded; empty when all is well
 */
public record LibTorchFacts(
    Optional<LibraryChoice> chosen,
    List<LibraryChoice> considered,
    Optional<String> abiVersion,
    Optional<String> cudaVersion,
    Optional<String> problem) {

  /** Keeps a copy of the list. */
  public LibTorchFacts {
    considered = List.copyOf(considered);
  }

  /** The version of the chosen one; empty when there is none to use. */
  public Optional<String> version() {
    return chosen.map(LibraryChoice::version);
  }

  /** How the chosen one was found; empty when there is none to use. */
  public Optional<String> origin() {
    return chosen.map(LibraryChoice::origin);
  }

  /** The chosen one if it could be loaded. */
  Optional<LibraryChoice> loaded() {
    return abiVersion.isPresent() ? chosen : Optional.empty();
  }

  static LibTorchFacts collect() {
    LibrarySearch search = new LibrarySearch();
    Optional<LibraryChoice> chosen = Optional.empty();
    try {
      chosen = Optional.of(search.choose());
      LibTorch.load();
      return new LibTorchFacts(
          chosen,
          search.considered(),
          Optional.of(LibTorch.abiVersion()),
          TorchBuild.cudaVersion(chosen.get()).map(n -> CudaVersion.of(n).toString()),
          Optional.empty());
    } catch (DuokaException e) {
      return new LibTorchFacts(
          chosen,
          search.considered(),
          Optional.empty(),
          Optional.empty(),
          Optional.ofNullable(e.getMessage()));
    }
  }
}
