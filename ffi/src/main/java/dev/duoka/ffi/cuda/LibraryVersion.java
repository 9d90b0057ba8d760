package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/**
 * A library that LibTorch's CUDA build uses, asked for its version.
 *
 * @param path the file or name that it was opened by
 * @param version its own version, for example {@code 9.24.0}
 */
public record LibraryVersion(String path, String version) {
  /** The cuDNN beside a LibTorch, or wherever the system finds one. */
  public static Presence<LibraryVersion> cudnn(LibraryChoice torch) {
    return open(torch, "libcudnn.so.9", LibraryVersion::cudnnVersion);
  }

  /** The NCCL beside a LibTorch, or wherever the system finds one. */
  public static Presence<LibraryVersion> nccl(LibraryChoice torch) {
    return open(torch, "libnccl.so.2", LibraryVersion::ncclVersion);
  }

  /** For example 92400 is 9.24.0; before 9 the numbers had one digit less: 8907 is 8.9.7. */
  static String threePart(long number) {
    long major = number >= 10_000 ? number / 10_000 : number / 1000;
    long rest = number >= 10_000 ? number % 10_000 : number % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  private static Presence<LibraryVersion> open(
      LibraryChoice torch, String file, Function<SharedLibrary, String> version) {
    List<String> candidates = new NvidiaLibraries(torch).candidates(List.of(file));
    return SharedLibrary.open(candidates, "")
        .then(library -> Presence.of(new LibraryVersion(library.name(), version.apply(library))));
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
