package dev.duoka.machine.environment;

import dev.duoka.ffi.cuda.Nvrtc;
import dev.duoka.ffi.environment.LibraryVersions;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.Presence;
import java.util.List;
import java.util.Optional;

/**
 * A library that LibTorch's CUDA build or this project uses.
 *
 * @param name the product's name
 * @param path the file or name that it was opened by; empty when it was not found
 * @param version its own version
 * @param problem why it cannot be used; empty when it can
 */
public record LibraryFacts(
    String name, Optional<String> path, Optional<String> version, Optional<String> problem) {

  static List<LibraryFacts> collect(LibraryChoice torch) {
    return List.of(
        nvrtc(),
        of("cuDNN", LibraryVersions.cudnn(torch)),
        of("NCCL", LibraryVersions.nccl(torch)));
  }

  private static LibraryFacts nvrtc() {
    return of(
        "NVRTC",
        Nvrtc.find()
            .then(
                nvrtc ->
                    Presence.of(
                        new LibraryVersions.Versioned(
                            nvrtc.library(), nvrtc.version().toString()))));
  }

  private static LibraryFacts of(String name, Presence<LibraryVersions.Versioned> found) {
    return switch (found) {
      case Presence.Present<LibraryVersions.Versioned>(LibraryVersions.Versioned library) ->
          new LibraryFacts(
              name, Optional.of(library.path()), Optional.of(library.version()), Optional.empty());
      case Presence.Absent<LibraryVersions.Versioned>(String reason, _) ->
          new LibraryFacts(name, Optional.empty(), Optional.empty(), Optional.of(reason));
    };
  }
}
