package dev.duoka.machine.environment;

import dev.duoka.ffi.cuda.LibraryVersion;
import dev.duoka.ffi.cuda.Nvrtc;
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
    Presence<LibraryVersion> nvrtc =
        Nvrtc.find()
            .then(
                found ->
                    Presence.of(new LibraryVersion(found.library(), found.version().toString())));
    return List.of(
        of("NVRTC", nvrtc),
        of("cuDNN", LibraryVersion.cudnn(torch)),
        of("NCCL", LibraryVersion.nccl(torch)));
  }

  private static LibraryFacts of(String name, Presence<LibraryVersion> library) {
    return switch (library) {
      case Presence.Present<LibraryVersion>(LibraryVersion(String path, String version)) ->
          new LibraryFacts(name, Optional.of(path), Optional.of(version), Optional.empty());
      case Presence.Absent<LibraryVersion>(String reason, _) ->
          new LibraryFacts(name, Optional.empty(), Optional.empty(), Optional.of(reason));
    };
  }
}
