package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import dev.duoka.ffi.torch.LibTorch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * NVIDIA's run-time compiler of CUDA C++. It needs neither a GPU nor a driver. Thread-safe.
 *
 * <p>CUDA's headers, such as {@code cuda_bf16.h}, are on the include path where they are installed
 * beside the library.
 */
public final class Nvrtc implements KernelCompiler {
  /** System property that names the library file, instead of searching for it. */
  public static final String PROPERTY = "duoka.nvrtc";

  private static final String REMEDY =
      "Install it beside PyTorch (pip install nvidia-cuda-nvrtc, or nvidia-cuda-nvrtc-cu12 for"
          + " CUDA 12), or name the file with -D"
          + PROPERTY;

  private static final Map<LibraryChoice, Presence<Nvrtc>> FOUND = new ConcurrentHashMap<>();

  private final NvrtcFunctions functions;
  private final String library;
  private final List<Path> includeFolders;
  private final CudaVersion version;
  private final SortedSet<Integer> architectures;

  private Nvrtc(NvrtcFunctions functions, String library, List<Path> includeFolders) {
    this.functions = functions;
    this.library = library;
    this.includeFolders = includeFolders;
    this.version = readVersion();
    this.architectures = readArchitectures();
  }

  /**
   * The library that fits the loaded LibTorch: from the property {@value #PROPERTY}, from the
   * {@code nvidia-*} packages beside LibTorch, from a CUDA toolkit, or where the loader finds it.
   */
  public static Presence<Nvrtc> find() {
    return FOUND.computeIfAbsent(LibTorch.load(), Nvrtc::search);
  }

  /** The path or name that the library was opened by. */
  public String library() {
    return library;
  }

  /** The version of CUDA that the compiler belongs to. */
  public CudaVersion version() {
    return version;
  }

  /** The compute capabilities that it compiles for, as {@code 10 · major + minor}. */
  public SortedSet<Integer> architectures() {
    return architectures;
  }

  @Override
  public String identity() {
    return "nvrtc " + version;
  }

  @Override
  public byte[] compile(KernelSource source, String architecture) {
    List<String> options = new ArrayList<>(source.options());
    options.add("--gpu-architecture=" + architecture);
    includeFolders.forEach(folder -> options.add("--include-path=" + folder));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(JAVA_LONG);
      check(
          (int)
              functions.create.invokeExact(
                  program,
                  arena.allocateFrom(source.code()),
                  arena.allocateFrom(source.name()),
                  0,
                  MemorySegment.NULL,
                  MemorySegment.NULL),
          "nvrtcCreateProgram");
      try {
        return compile(arena, program.get(JAVA_LONG, 0), source, options);
      } finally {
        check((int) functions.destroy.invokeExact(program), "nvrtcDestroyProgram");
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private byte[] compile(Arena arena, long program, KernelSource source, List<String> options)
      throws Throwable {
    MemorySegment texts = arena.allocate(ADDRESS, options.size());
    for (int i = 0; i < options.size(); i++) {
      texts.setAtIndex(ADDRESS, i, arena.allocateFrom(options.get(i)));
    }
    int result = (int) functions.compile.invokeExact(program, options.size(), texts);
    if (result != 0) {
      MemorySegment log = bytes(arena, program, functions.logSize, functions.log);
      throw new DuokaException(
          ErrorCode.NATIVE_LIBRARY,
          "cannot compile "
              + source.name()
              + " with NVRTC "
              + version
              + " and the options "
              + String.join(" ", options)
              + ": "
              + errorString(result)
              + "\n"
              + log.getString(0).strip(),
          "An NVRTC of another version may do: this one is " + library);
    }
    return bytes(arena, program, functions.cubinSize, functions.cubin).toArray(JAVA_BYTE);
  }

  private MemorySegment bytes(Arena arena, long program, MethodHandle size, MethodHandle content)
      throws Throwable {
    MemorySegment length = arena.allocate(JAVA_LONG);
    check((int) size.invokeExact(program, length), "an NVRTC size");
    MemorySegment bytes = arena.allocate(Math.max(1, length.get(JAVA_LONG, 0)));
    check((int) content.invokeExact(program, bytes), "an NVRTC result");
    return bytes.asSlice(0, length.get(JAVA_LONG, 0));
  }

  private CudaVersion readVersion() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(JAVA_INT);
      MemorySegment minor = arena.allocate(JAVA_INT);
      check((int) functions.version.invokeExact(major, minor), "nvrtcVersion");
      return new CudaVersion(major.get(JAVA_INT, 0), minor.get(JAVA_INT, 0));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private SortedSet<Integer> readArchitectures() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      check((int) functions.supportedCount.invokeExact(count), "nvrtcGetNumSupportedArchs");
      MemorySegment numbers = arena.allocate(JAVA_INT, count.get(JAVA_INT, 0));
      check((int) functions.supported.invokeExact(numbers), "nvrtcGetSupportedArchs");
      SortedSet<Integer> set = new TreeSet<>();
      for (int number : numbers.toArray(JAVA_INT)) {
        set.add(number);
      }
      return set;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private void check(int result, String function) {
    if (result != 0) {
      throw new DuokaException(
          ErrorCode.NATIVE_CALL,
          function + " failed in " + library + ": " + errorString(result),
          "");
    }
  }

  @SuppressWarnings("restricted") // bounded view of a static C string
  private String errorString(int result) {
    try {
      MemorySegment text = (MemorySegment) functions.errorString.invokeExact(result);
      return text.address() == 0 ? "result " + result : text.reinterpret(4096).getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private static Presence<Nvrtc> search(LibraryChoice torch) {
    NvidiaLibraries libraries = new NvidiaLibraries(torch);
    String explicit = System.getProperty(PROPERTY, "");
    boolean twelve = TorchBuild.cudaVersion(torch).orElse(13_000) < 13_000;
    List<String> names =
        twelve
            ? List.of("libnvrtc.so.12", "libnvrtc.so.13")
            : List.of("libnvrtc.so.13", "libnvrtc.so.12");
    return SharedLibrary.open(
        explicit.isBlank() ? libraries.candidates(names) : List.of(explicit),
        REMEDY,
        library ->
            Presence.of(
                new Nvrtc(
                    new NvrtcFunctions(library.symbols()),
                    library.name(),
                    libraries.includeFolders())));
  }
}
