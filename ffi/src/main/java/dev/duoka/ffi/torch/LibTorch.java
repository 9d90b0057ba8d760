package dev.duoka.ffi.torch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.ffi.environment.ProcessEnvironment;
import dev.duoka.ffi.library.ElfFile;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.LibrarySearch;
import dev.duoka.ffi.link.NativeFunctions;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The LibTorch of this process. It is loaded once, at first use, and never unloaded.
 *
 * <p>Thread-safe; loading takes about 0.2 s for a CPU build and 2 s for a CUDA build.
 */
public final class LibTorch {
  /**
   * In the order in which they depend on each other; those that an installation lacks are skipped.
   */
  private static final List<String> LIBRARIES =
      List.of(
          "libgomp.so.1",
          "libopenblas.so.0",
          "libc10.so",
          "libtorch_cpu.so",
          "libc10_cuda.so",
          "libtorch_cuda.so",
          "libtorch.so");

  /** The environment variable by which LibTorch decides what it prints. */
  static final String LOG_LEVEL = "TORCH_CPP_LOG_LEVEL";

  // No holder class: a failure in its initialiser would reach the caller wrapped in an Error.
  private static @Nullable LibraryChoice loaded;

  private LibTorch() {}

  /** Loads LibTorch if that has not happened yet, and says which one it is. */
  public static LibraryChoice load() {
    return load(_ -> {});
  }

  /**
   * As {@link #load()}.
   *
   * @param before hears which one is going to be loaded, when what this process tells native code
   *     by its environment is set; not called if it is loaded already
   */
  public static synchronized LibraryChoice load(Consumer<LibraryChoice> before) {
    LibraryChoice choice = loaded;
    if (choice == null) {
      // Read when the driver makes a context. Streams that share a queue wait for each other, and a
      // rank has one for each group that it exchanges with.
      ProcessEnvironment.set("CUDA_DEVICE_MAX_CONNECTIONS", "32");
      ProcessEnvironment.set(LOG_LEVEL, "FATAL");
      // Where segments of memory grow: no other process is given them. That they could be takes
      // handles, whose kind the allocator tries out at first: of two threads that begin at once one
      // fails.
      ProcessEnvironment.set("TORCH_CUDA_EXPANDABLE_SEGMENTS_IPC", "0");
      choice = new LibrarySearch().choose();
      before.accept(choice);
      load(choice);
      quietLogger();
      HostAllocator.keepFreedMemory();
      loaded = choice;
    }
    return choice;
  }

  /** Whether the loaded LibTorch is a CUDA build; says nothing about a GPU being there. */
  public static boolean hasCuda() {
    return load().cuda();
  }

  /** Whether its failures tell their reason; before version 2.13 that is on stderr alone. */
  public static boolean tellsReasons() {
    return TorchFunctions.EXCEPTION_MESSAGE.isPresent();
  }

  /** The version of the loaded library's C ABI, for example {@code 2.10.0}. */
  public static String abiVersion() {
    long version = TorchFunctions.abiVersion();
    return (version >>> 56) + "." + (version >>> 48 & 0xff) + "." + (version >>> 40 & 0xff);
  }

  /** All symbols of the loaded libraries and of what they depend on. */
  static SymbolLookup symbols() {
    load();
    return SymbolLookup.loaderLookup();
  }

  @SuppressWarnings("restricted") // loading native code is what this class is for
  private static void load(LibraryChoice choice) {
    for (String name : LIBRARIES) {
      Path library = choice.folder().resolve(name);
      if (Files.exists(library)) {
        requireWhole(library, choice);
        try {
          System.load(library.toString());
        } catch (UnsatisfiedLinkError e) {
          throw new DuokaException(
              ErrorCode.NATIVE_LIBRARY,
              "cannot load " + library + " (" + choice.origin() + "): " + e.getMessage(),
              "Install what it misses, or choose another LibTorch with "
                  + LibrarySearch.VARIABLE
                  + "; './duoka env' lists what was found",
              e);
        } catch (IllegalCallerException e) {
          throw new DuokaException(
              ErrorCode.NATIVE_LIBRARY,
              "this JVM does not allow the module dev.duoka.ffi to load native code",
              "Start it with --enable-native-access=dev.duoka.ffi, as the duoka launcher does",
              e);
        }
      }
    }
  }

  /**
   * LibTorch's logger prints each failed call with its C++ frames; our errors say what failed. The
   * logger reads the variable when it is told to: no C function does that, so a mangled name is
   * called, where a LibTorch has it.
   */
  private static void quietLogger() {
    Optional<MethodHandle> readLevel =
        new NativeFunctions("LibTorch", SymbolLookup.loaderLookup())
            .optional("_ZN3c1011initLoggingEv", FunctionDescriptor.ofVoid());
    if (readLevel.isPresent()) {
      try {
        readLevel.get().invokeExact();
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  private static void requireWhole(Path library, LibraryChoice choice) {
    Optional<String> problem;
    try {
      problem = ElfFile.problem(library);
    } catch (IOException e) {
      problem = Optional.of(IoReason.of(e));
    }
    if (problem.isPresent()) {
      throw new DuokaException(
          ErrorCode.NATIVE_LIBRARY,
          "cannot load " + library + " (" + choice.origin() + "): " + problem.get(),
          "Install that PyTorch again, or choose another LibTorch with " + LibrarySearch.VARIABLE);
    }
  }
}
