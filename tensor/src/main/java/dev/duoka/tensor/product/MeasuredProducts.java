package dev.duoka.tensor.product;

import dev.duoka.ffi.cuda.CublasLt;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.cuda.MatrixProduct;
import dev.duoka.ffi.cuda.PreparedProduct;
import dev.duoka.ffi.cuda.ProductAlgorithm;
import dev.duoka.ffi.torch.CudaStreams;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Products by the algorithm that is fastest on this card rather than the library's first guess,
 * which is up to 12 % slower on an H100. Thread-safe.
 */
public final class MeasuredProducts {
  private static final Map<Path, ProductChoices> CHOICES = new ConcurrentHashMap<>();
  private static final Map<Integer, ProductChoices> CHOICES_OF_DEVICE = new ConcurrentHashMap<>();
  private static final Map<Favourite, ProductAlgorithm> FAVOURITES = new ConcurrentHashMap<>();

  /** Cards of one machine may differ. */
  private record Favourite(MatrixProduct product, int device) {}

  private MeasuredProducts() {}

  /**
   * Computes a product. Launches asynchronously on LibTorch's current stream, except that the first
   * product of its kind on a kind of card, ever, measures the algorithms there are, and waits.
   *
   * @param device ordinal of the device that the operands are on
   * @param measured whether the algorithm may be the one that was fastest when measured; otherwise
   *     it is the library's first, always the same
   */
  public static void multiply(
      MatrixProduct product, CublasLt.Operands operands, int device, boolean measured) {
    CublasLt library = CublasLt.find().orElseThrow();
    PreparedProduct own = library.prepare(product);
    CudaDevice card = CudaDriver.find().orElseThrow().device(device);
    card.useOnThisThread(); // its context, and LibTorch's handle, are those of the thread
    long stream = CudaStreams.current(device);
    // An addend that is the target would be added to once for each measurement.
    boolean repeatable = !product.adds() || operands.addend() != operands.target();
    ProductAlgorithm algorithm =
        measured && repeatable
            ? choicesOn(card, library)
                .of(
                    product.key() + "-" + operands.workspaceBytes(),
                    () -> own.algorithms(operands),
                    new StreamTimer(own, operands, card, stream))
            : FAVOURITES.computeIfAbsent(
                new Favourite(product, device), _ -> own.algorithms(operands).getFirst());
    own.run(algorithm, operands, stream);
  }

  /**
   * Which algorithms this process has computed products by so far: by the kind of card and the
   * version of the library, then by the product. Those that are the library's own choice are under
   * {@code library's own choice} and the number of the device. Does not touch a device.
   */
  public static SortedMap<String, SortedMap<String, String>> used() {
    SortedMap<String, SortedMap<String, String>> all = new TreeMap<>();
    CHOICES.values().forEach(choices -> all.put(choices.name(), choices.used()));
    FAVOURITES.forEach(
        (favourite, algorithm) ->
            all.computeIfAbsent(
                    "library's own choice on cuda:" + favourite.device(), _ -> new TreeMap<>())
                .put(favourite.product().key(), algorithm.text()));
    all.values().removeIf(Map::isEmpty);
    return all;
  }

  /** Measures on the stream on which the product is to run. */
  private record StreamTimer(
      PreparedProduct product, CublasLt.Operands operands, CudaDevice card, long stream)
      implements ProductChoices.Timer {
    @Override
    public double milliseconds(ProductAlgorithm algorithm, int runs) {
      try (CudaEvent start = card.newEvent();
          CudaEvent end = card.newEvent()) {
        start.record(stream);
        boolean ran = true;
        for (int i = 0; i < runs; i++) {
          ran &= product.tryRun(algorithm, operands, stream);
        }
        end.record(stream);
        end.synchronize();
        return ran ? end.millisecondsSince(start) / runs : Double.POSITIVE_INFINITY;
      }
    }
  }

  /** Cards of one kind share theirs. */
  private static ProductChoices choicesOn(CudaDevice device, CublasLt library) {
    ProductChoices known = CHOICES_OF_DEVICE.get(device.ordinal());
    return known != null // asked for each product: neither the driver nor the library is
        ? known
        : CHOICES_OF_DEVICE.computeIfAbsent(
            device.ordinal(),
            _ ->
                CHOICES.computeIfAbsent(
                    ProductChoices.file(device.name(), library.version()), ProductChoices::new));
  }
}
