package dev.duoka.ffi.cuda;

import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import dev.duoka.ffi.torch.LibTorch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Matrix products that LibTorch's C ABI does not offer: with a sum in the same pass, with 8-bit
 * factors, and by an algorithm of the caller's choice. Thread-safe.
 */
public final class CublasLt {
  /** System property that names the library file, instead of searching for it. */
  public static final String PROPERTY = "duoka.cublaslt";

  private static final String REMEDY =
      "It belongs to every CUDA build of PyTorch: reinstall that, or name the file with -D"
          + PROPERTY;

  private static final Map<LibraryChoice, Presence<CublasLt>> FOUND = new ConcurrentHashMap<>();

  /**
   * Addresses on the device.
   *
   * @param target where the product goes
   * @param a the first factor
   * @param b the second factor
   * @param addend of the target's shape; may be the target; unused unless the product adds
   * @param scaleA fp32 scales of {@code a}; unused unless the product has some
   * @param scaleB fp32 scales of {@code b}
   * @param workspace for the calling thread alone, aligned to 256 bytes
   * @param workspaceBytes its size
   */
  public record Operands(
      long target,
      long a,
      long b,
      long addend,
      long scaleA,
      long scaleB,
      long workspace,
      long workspaceBytes) {}

  private final CublasLtFunctions functions;
  private final ThreadLocal<Map<MatrixProduct, PreparedProduct>> prepared =
      ThreadLocal.withInitial(HashMap::new);

  private CublasLt(CublasLtFunctions functions) {
    this.functions = functions;
  }

  /** The library that the loaded LibTorch uses. */
  public static Presence<CublasLt> find() {
    return FOUND.computeIfAbsent(LibTorch.load(), CublasLt::search);
  }

  /** The library's version, for example 130100. */
  public long version() {
    try {
      return (long) functions.version.invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** A product of this kind, made ready for the calling thread, which alone may use it. */
  public PreparedProduct prepare(MatrixProduct product) {
    return prepared.get().computeIfAbsent(product, p -> new PreparedProduct(functions, p));
  }

  private static Presence<CublasLt> search(LibraryChoice torch) {
    String explicit = System.getProperty(PROPERTY, "");
    boolean twelve = TorchBuild.cudaVersion(torch).orElse(13_000) < 13_000;
    List<String> names =
        twelve
            ? List.of("libcublasLt.so.12", "libcublasLt.so.13")
            : List.of("libcublasLt.so.13", "libcublasLt.so.12");
    return SharedLibrary.open(
        explicit.isBlank() ? new NvidiaLibraries(torch).candidates(names) : List.of(explicit),
        REMEDY,
        library -> Presence.of(new CublasLt(new CublasLtFunctions(library.symbols()))));
  }
}
