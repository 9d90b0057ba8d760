package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.LibTorch;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The matrix products that LibTorch's C ABI does not offer: 16-bit factors with an fp32 result.
 * Runs with LibTorch's own cuBLAS handle, hence on its current stream and in its workspace.
 * Thread-safe.
 */
public final class Cublas {
  /** System property that names the library file, instead of searching for it. */
  public static final String PROPERTY = "duoka.cublas";

  private static final String REMEDY =
      "It belongs to every CUDA build of PyTorch: reinstall that, or name the file with -D"
          + PROPERTY;

  /** Of {@code cublasGemmAlgo_t}. */
  private static final int DEFAULT_ALGORITHM = -1;

  private static final Map<LibraryChoice, Presence<Cublas>> FOUND = new ConcurrentHashMap<>();

  private final MethodHandle gemm;

  private Cublas(SymbolLookup symbols) {
    gemm =
        new NativeFunctions("cuBLAS", symbols)
            .required(
                "cublasGemmEx",
                FunctionDescriptor.of(
                    JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS,
                    JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS,
                    JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }

  /** The library that the loaded LibTorch uses. */
  public static Presence<Cublas> find() {
    return FOUND.computeIfAbsent(LibTorch.load(), Cublas::search);
  }

  /**
   * {@code target (+)= aᵀ · b} with fp32 accumulation; all matrices dense and row-major. Launches
   * asynchronously on the calling thread's device.
   *
   * @param target address of fp32 {@code [columns of a, columns of b]}
   * @param a address of {@code [rows, aColumns]}
   * @param b address of {@code [rows, bColumns]}
   * @param add whether to add to the target rather than overwrite it
   */
  public void outerProduct(
      long target,
      long a,
      long b,
      long rows,
      long aColumns,
      long bColumns,
      MatrixDtype dtype,
      boolean add) {
    int m = Math.toIntExact(bColumns);
    int n = Math.toIntExact(aColumns);
    multiply(target, b, false, m, a, true, n, m, n, rows, dtype, add);
  }

  /**
   * {@code target = a · bᵀ} with fp32 accumulation; all matrices dense and row-major. Launches
   * asynchronously on the calling thread's device.
   *
   * @param target address of fp32 {@code [rows of a, rows of b]}
   * @param a address of {@code [aRows, columns]}
   * @param b address of {@code [bRows, columns]}
   */
  public void innerProduct(
      long target, long a, long b, long aRows, long bRows, long columns, MatrixDtype dtype) {
    int m = Math.toIntExact(bRows);
    int n = Math.toIntExact(aRows);
    int inner = Math.toIntExact(columns);
    multiply(target, b, true, inner, a, false, inner, m, n, inner, dtype, false);
  }

  /**
   * The library's product of {@code [m, inner]} by {@code [inner, n]}, each stored in rows of the
   * length given or transposed. It counts columns first: what is row-major {@code [r, c]} for us is
   * its {@code [c, r]}, so the factors change places.
   */
  private void multiply(
      long target,
      long first,
      boolean firstTransposed,
      int firstLength,
      long second,
      boolean secondTransposed,
      int secondLength,
      int m,
      int n,
      long inner,
      MatrixDtype dtype,
      boolean add) {
    MemorySegment beta = CublasCodes.beta(add);
    int status;
    try {
      status =
          (int)
              gemm.invokeExact(
                  CudaStreams.blasHandle(),
                  CublasCodes.transposition(firstTransposed),
                  CublasCodes.transposition(secondTransposed),
                  m,
                  n,
                  Math.toIntExact(inner),
                  CublasCodes.ONE,
                  first,
                  dtype.code,
                  firstLength,
                  second,
                  dtype.code,
                  secondLength,
                  beta,
                  target,
                  MatrixDtype.FLOAT32.code,
                  m,
                  CublasCodes.COMPUTE_FLOAT32,
                  DEFAULT_ALGORITHM);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    if (status != 0) {
      throw CublasCodes.failure(
          "cublasGemmEx",
          dtype + " factors and an fp32 result [" + n + ", " + m + "] over " + inner,
          status);
    }
  }

  private static Presence<Cublas> search(LibraryChoice torch) {
    String explicit = System.getProperty(PROPERTY, "");
    boolean twelve = TorchBuild.cudaVersion(torch).orElse(13_000) < 13_000;
    List<String> names =
        twelve
            ? List.of("libcublas.so.12", "libcublas.so.13")
            : List.of("libcublas.so.13", "libcublas.so.12");
    return SharedLibrary.open(
        explicit.isBlank() ? new NvidiaLibraries(torch).candidates(names) : List.of(explicit),
        REMEDY,
        library -> Presence.of(new Cublas(library.symbols())));
  }
}
