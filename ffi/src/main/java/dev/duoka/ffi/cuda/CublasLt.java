package dev.duoka.ffi.cuda;

import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.LibTorch;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Matrix products that LibTorch's C ABI does not offer: with a sum in the same pass, with 8-bit
 * factors, and by the algorithm that is fastest on this card rather than the library's first guess,
 * which is up to 12 % slower on an H100. Thread-safe.
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
  private final Map<Path, ProductChoices> choices = new ConcurrentHashMap<>();
  private final Map<Integer, ProductChoices> choicesOfDevice = new ConcurrentHashMap<>();
  private final Map<Favourite, ProductAlgorithm> favourites = new ConcurrentHashMap<>();

  /** Cards of one machine may differ. */
  private record Favourite(MatrixProduct product, int device) {}

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

  /**
   * Computes a product. Launches asynchronously on LibTorch's current stream, except that the first
   * product of its kind on a kind of card, ever, measures the algorithms there are, and waits.
   *
   * @param device ordinal of the device that the operands are on
   * @param measured whether the algorithm may be the one that was fastest when measured; otherwise
   *     it is the library's first, always the same
   */
  public void multiply(MatrixProduct product, Operands operands, int device, boolean measured) {
    PreparedProduct own =
        prepared.get().computeIfAbsent(product, p -> new PreparedProduct(functions, p));
    CudaDevice card = CudaDriver.find().orElseThrow().device(device);
    card.useOnThisThread(); // its context, and LibTorch's handle, are those of the thread
    long stream = CudaStreams.current(device);
    // An addend that is the target would be added to once for each measurement.
    boolean repeatable = !product.adds() || operands.addend() != operands.target();
    ProductAlgorithm algorithm =
        measured && repeatable
            ? choicesOn(card)
                .of(
                    product.key() + "-" + operands.workspaceBytes(),
                    () -> own.algorithms(operands),
                    (candidate, runs) -> milliseconds(own, candidate, operands, card, stream, runs))
            : favourites.computeIfAbsent(
                new Favourite(product, device), _ -> own.algorithms(operands).getFirst());
    int status = own.run(algorithm, operands, stream);
    if (status != 0) {
      throw CublasCodes.failure("cublasLtMatmul", product.key(), status);
    }
  }

  private static double milliseconds(
      PreparedProduct own,
      ProductAlgorithm algorithm,
      Operands operands,
      CudaDevice card,
      long stream,
      int runs) {
    try (CudaEvent start = card.newEvent();
        CudaEvent end = card.newEvent()) {
      start.record(stream);
      boolean ran = true;
      for (int i = 0; i < runs; i++) {
        ran &= own.run(algorithm, operands, stream) == 0;
      }
      end.record(stream);
      end.synchronize();
      return ran ? end.millisecondsSince(start) / runs : Double.POSITIVE_INFINITY;
    }
  }

  /** Cards of one kind share theirs. */
  private ProductChoices choicesOn(CudaDevice device) {
    ProductChoices known = choicesOfDevice.get(device.ordinal());
    return known != null // asked for each product: neither the driver nor the library is
        ? known
        : choicesOfDevice.computeIfAbsent(
            device.ordinal(),
            _ ->
                choices.computeIfAbsent(
                    ProductChoices.file(device.name(), version()), ProductChoices::new));
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
