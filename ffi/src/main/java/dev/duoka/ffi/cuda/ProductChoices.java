package dev.duoka.ffi.cuda;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Which algorithm computes each product fastest on one kind of card: measured once, kept in a text
 * file in the user's cache folder, a line a product. Deleting the file has them measured again.
 *
 * <p>Thread-safe; several processes may write the file, and the worst that comes of it is a product
 * that is measured twice.
 */
final class ProductChoices {
  private static final int ROUNDS = 4;

  /** What another algorithm must take at most, compared with the library's favourite. */
  private static final double WORTHWHILE = 0.985;

  private static final String HEADER =
      "# product, algorithm, its milliseconds, those of the library's own choice; delete to measure"
          + " again";

  private record Choice(ProductAlgorithm algorithm, double milliseconds, double favourite) {
    String line(String key) {
      return String.format(
          Locale.ROOT, "%s\t%s\t%.4f\t%.4f", key, algorithm.text(), milliseconds, favourite);
    }
  }

  private final Path file;
  private final Map<String, Choice> choices = new ConcurrentHashMap<>();

  ProductChoices(Path file) {
    this.file = file;
    read().forEach(choices::put);
  }

  /** The choices for a device with this version of the library. */
  static ProductChoices of(CudaDevice device, long version) {
    String name = device.name().replaceAll("[^A-Za-z0-9]+", "-") + "-cublaslt-" + version + ".tsv";
    return new ProductChoices(CacheFolder.of("products").resolve(name));
  }

  /**
   * The algorithm for a product, measured now if it never was.
   *
   * @param candidates the algorithms there are, the library's favourite first
   * @param time runs one and says how many milliseconds it took; infinitely many if it failed
   */
  ProductAlgorithm of(
      MatrixProduct product,
      Supplier<List<ProductAlgorithm>> candidates,
      ToDoubleFunction<ProductAlgorithm> time) {
    Choice known = choices.get(product.key());
    if (known != null) {
      return known.algorithm();
    }
    // Two ranks that need the same product measure it once.
    return choices
        .computeIfAbsent(
            product.key(),
            key -> {
              Choice choice = measure(candidates.get(), time);
              write(key, choice);
              return choice;
            })
        .algorithm();
  }

  /** In rounds, so that a clock that changes meanwhile changes for all of them. */
  private static Choice measure(
      List<ProductAlgorithm> candidates, ToDoubleFunction<ProductAlgorithm> time) {
    double[] best = new double[candidates.size()];
    Arrays.fill(best, Double.POSITIVE_INFINITY);
    for (int round = 0; round <= ROUNDS; round++) {
      for (int i = 0; i < best.length; i++) {
        double milliseconds = time.applyAsDouble(candidates.get(i));
        if (round > 0) { // the first round loads the kernels
          best[i] = Math.min(best[i], milliseconds);
        }
      }
    }
    int fastest = 0;
    for (int i = 1; i < best.length; i++) {
      if (best[i] < best[fastest]) {
        fastest = i;
      }
    }
    int chosen = best[fastest] < WORTHWHILE * best[0] ? fastest : 0;
    return new Choice(candidates.get(chosen), best[chosen], best[0]);
  }

  private Map<String, Choice> read() {
    Map<String, Choice> read = new TreeMap<>();
    if (!Files.exists(file)) {
      return read;
    }
    try {
      for (String line : Files.readAllLines(file)) {
        String[] parts = line.split("\t", -1);
        if (parts.length == 4) {
          try {
            read.put(
                parts[0],
                new Choice(
                    ProductAlgorithm.parse(parts[1]),
                    Double.parseDouble(parts[2]),
                    Double.parseDouble(parts[3])));
          } catch (IllegalArgumentException _) {
            // A damaged line is a product to be measured again.
          }
        }
      }
      return read;
    } catch (IOException e) {
      throw failure("read", e);
    }
  }

  private synchronized void write(String key, Choice choice) {
    try {
      Map<String, Choice> all = read(); // with what another process has written meanwhile
      all.put(key, choice);
      StringBuilder text = new StringBuilder(HEADER).append('\n');
      all.forEach((k, c) -> text.append(c.line(k)).append('\n'));
      Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
      // A name of its own: two processes may write at the same time.
      Path temporary = Files.createTempFile(folder, "measured-", ".tmp");
      try {
        Files.writeString(temporary, text);
        CrashSafeFiles.moveIntoPlace(temporary, file);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw failure("write", e);
    }
  }

  private DuokaException failure(String what, IOException e) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot " + what + " the measured products " + file + ": " + e,
        "Make the folder writable, or set XDG_CACHE_HOME to another place",
        e);
  }
}
