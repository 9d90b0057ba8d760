package dev.duoka.ffi.environment;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.cuda.Nvrtc;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
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

  /** Reads the version out of an opened library. */
  private interface VersionReader {
    String read(SharedLibrary library);
  }

  static List<LibraryFacts> collect(LibraryChoice torch) {
    NvidiaLibraries libraries = new NvidiaLibraries(torch);
    return List.of(
        nvrtc(),
        open("cuDNN", libraries, List.of("libcudnn.so.9"), LibraryFacts::cudnnVersion),
        open("NCCL", libraries, List.of("libnccl.so.2"), LibraryFacts::ncclVersion));
  }

  /** For example 92400 is 9.24.0; before 9 the numbers had one digit less: 8907 is 8.9.7. */
  static String threePart(long number) {
    long major = number >= 10_000 ? number / 10_000 : number / 1000;
    long rest = number >= 10_000 ? number % 10_000 : number % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  private static LibraryFacts nvrtc() {
    return switch (Nvrtc.find()) {
      case Presence.Present<Nvrtc>(Nvrtc nvrtc) ->
          new LibraryFacts(
              "NVRTC",
              Optional.of(nvrtc.library()),
              Optional.of(nvrtc.version().toString()),
              Optional.empty());
      case Presence.Absent<Nvrtc>(String reason, _) ->
          new LibraryFacts("NVRTC", Optional.empty(), Optional.empty(), Optional.of(reason));
    };
  }

  private static LibraryFacts open(
      String name, NvidiaLibraries libraries, List<String> files, VersionReader version) {
    return switch (SharedLibrary.open(libraries.candidates(files), "")) {
      case Presence.Present<SharedLibrary>(SharedLibrary library) ->
          new LibraryFacts(
              name,
              Optional.of(library.name()),
              Optional.of(version.read(library)),
              Optional.empty());
      case Presence.Absent<SharedLibrary>(String reason, _) ->
          new LibraryFacts(name, Optional.empty(), Optional.empty(), Optional.of(reason));
    };
  }

  private static String cudnnVersion(SharedLibrary library) {
    NativeFunctions cudnn = new NativeFunctions("cuDNN", library.symbols());
    try {
      return threePart(
          (long) cudnn.required("cudnnGetVersion", FunctionDescriptor.of(JAVA_LONG)).invokeExact());
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private static String ncclVersion(SharedLibrary library) {
    NativeFunctions nccl = new NativeFunctions("NCCL", library.symbols());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      int result =
          (int)
              nccl.required("ncclGetVersion", FunctionDescriptor.of(JAVA_INT, ADDRESS))
                  .invokeExact(number);
      return result == 0 ? threePart(number.get(JAVA_INT, 0)) : "unknown";
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
