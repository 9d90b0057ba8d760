package dev.duoka.tensor.product;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DamagedCache;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Plural;
import dev.duoka.ffi.cuda.ProductAlgorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/**
 * Which algorithm computes each product fastest on one kind of card: measured once, kept in a text
 * file in the user's cache folder, a line a product. Deleting the file has them measured again.
 *
 * <p>Thread-safe; several processes may write the file, and the worst that comes of it is a product
 * that is measured twice.
 */
final class ProductChoices {
  /** Of the user's cache folder. */
  static final String FOLDER = "products";

  private static final int LOOKS = 2;
  private static final int RUNS_OF_LOOK = 2;
  private static final int FINALISTS = 4;

  /** How much slower than the best a finalist may look. */
  private static final double NEAR = 1.1;

  private static final int ROUNDS = 3;
  private static final int MOST_RUNS = 200;

  /** Milliseconds of one algorithm in a round. */
  private static final double HEAT = 12;

  /** What another algorithm must take at most, compared with the library's favourite. */
  private static final double WORTHWHILE = 0.985;

  private static final String HEADER =
      "# product, algorithm, its milliseconds, those of the library's own choice, checksum of the"
          + " line; delete to measure again";

  /** That of files whose lines have no checksums, which are read as they are. */
  private static final String OLD_HEADER =
      "# product, algorithm, its milliseconds, those of the library's own choice; delete to measure"
          + " again";

  /** Measures algorithms. */
  @FunctionalInterface
  interface Timer {
    /** Milliseconds of one run, as the mean of several in a row; infinitely many if it fails. */
    double milliseconds(ProductAlgorithm algorithm, int runs);
  }

  private record Choice(ProductAlgorithm algorithm, double milliseconds, double favourite) {
    String line(String key) {
      String line =
          String.format(
              Locale.ROOT, "%s\t%s\t%.4f\t%.4f", key, algorithm.text(), milliseconds, favourite);
      return line + "\t" + checksum(line);
    }
  }

  private final Path file;
  private final Map<String, Choice> choices = new ConcurrentHashMap<>();

  /** What this process has computed by them; the file knows products of other runs, too. */
  private final Map<String, ProductAlgorithm> used = new ConcurrentHashMap<>();

  ProductChoices(Path file) {
    this.file = file;
    read().forEach(choices::put);
  }

  /** Where the choices for a kind of card and a version of the library are kept. */
  static Path file(String card, long version) {
    String name = card.replaceAll("[^A-Za-z0-9]+", "-") + "-cublaslt-" + version + ".tsv";
    return CacheFolder.of(FOLDER).resolve(name);
  }

  /**
   * The algorithm for a product, measured now if it never was.
   *
   * @param key names the product and what its algorithms depend on, without white space
   * @param candidates the algorithms there are, the library's favourite first
   * @param timer measures one
   */
  ProductAlgorithm of(String key, Supplier<List<ProductAlgorithm>> candidates, Timer timer) {
    ProductAlgorithm before = used.get(key);
    if (before != null) {
      return before;
    }
    ProductAlgorithm chosen = choose(key, candidates, timer);
    used.put(key, chosen);
    return chosen;
  }

  /** The algorithms that were asked for in this process, by the names of their products. */
  SortedMap<String, String> used() {
    SortedMap<String, String> texts = new TreeMap<>();
    used.forEach((key, algorithm) -> texts.put(key, algorithm.text()));
    return texts;
  }

  /** Of which card and library, for example {@code NVIDIA-H200-cublaslt-130000}. */
  String name() {
    return String.valueOf(file.getFileName()).replaceFirst("\\.tsv$", "");
  }

  private ProductAlgorithm choose(
      String key, Supplier<List<ProductAlgorithm>> candidates, Timer timer) {
    Choice known = choices.get(key);
    if (known != null) {
      return known.algorithm();
    }
    // Nobody is kept waiting meanwhile: what this rank's device waits for may come from a rank that
    // needs the same product. Both measure it, and both take what the first has found.
    Choice own = measure(candidates.get(), timer);
    Choice first = choices.putIfAbsent(key, own);
    if (first != null) {
      return first.algorithm();
    }
    if (Double.isFinite(own.milliseconds())) { // otherwise nothing was learnt
      write(key, own);
    }
    return own.algorithm();
  }

  /**
   * A short look at all of them, then the best few for long enough that the card is as hot as in
   * training: at its power limit another algorithm may be the fastest. In rounds, so that a clock
   * that changes meanwhile changes for all.
   */
  private static Choice measure(List<ProductAlgorithm> candidates, Timer timer) {
    double[] look = rounds(candidates, timer, LOOKS, RUNS_OF_LOOK);
    double best = Arrays.stream(look).min().orElseThrow();
    List<ProductAlgorithm> finalists =
        IntStream.range(0, look.length)
            .filter(i -> i == 0 || look[i] <= best * NEAR)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> i == 0 ? 0 : look[i]))
            .limit(FINALISTS)
            .map(candidates::get)
            .toList();
    int runs = (int) Math.max(RUNS_OF_LOOK, Math.min(MOST_RUNS, Math.ceil(HEAT / best)));
    double[] atLength = rounds(finalists, timer, ROUNDS, runs);
    int fastest =
        IntStream.range(0, atLength.length)
            .boxed()
            .min(Comparator.comparingDouble(i -> atLength[i]))
            .orElseThrow();
    int chosen = atLength[fastest] < WORTHWHILE * atLength[0] ? fastest : 0;
    return new Choice(finalists.get(chosen), atLength[chosen], atLength[0]);
  }

  /**
   * The least of each; the first round loads the kernels, or heats the card, and does not count.
   */
  private static double[] rounds(
      List<ProductAlgorithm> candidates, Timer timer, int rounds, int runs) {
    double[] least = new double[candidates.size()];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    for (int round = 0; round <= rounds; round++) {
      for (int i = 0; i < least.length; i++) {
        double milliseconds = timer.milliseconds(candidates.get(i), runs);
        if (round > 0) {
          least[i] = Math.min(least[i], milliseconds);
        }
      }
    }
    return least;
  }

  private static String checksum(String line) {
    CRC32C crc = new CRC32C();
    crc.update(line.getBytes(StandardCharsets.UTF_8));
    return Long.toHexString(crc.getValue());
  }

  /** Those that are known; a line that is damaged is a product to be measured again. */
  private Map<String, Choice> read() {
    Map<String, Choice> read = new TreeMap<>();
    if (!Files.exists(file)) {
      return read;
    }
    int damaged = 0;
    try {
      // As Latin-1 any bytes are text, so that what is damaged costs its own line alone.
      List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
      boolean old = !lines.isEmpty() && lines.getFirst().equals(OLD_HEADER);
      damaged += lines.isEmpty() || !(old || lines.getFirst().equals(HEADER)) ? 1 : 0;
      for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
        damaged += read(line, old, read) ? 0 : 1;
      }
    } catch (IOException e) {
      throw failure("read", e);
    }
    if (damaged > 0) {
      DamagedCache.report(
          file,
          Plural.of(damaged, "line") + " cannot be read or do not match their checksum",
          "those products are measured again");
    }
    return read;
  }

  private static boolean read(String line, boolean old, Map<String, Choice> into) {
    int last = line.lastIndexOf('\t');
    String content = old ? line : line.substring(0, Math.max(0, last));
    String[] parts = content.split("\t", -1);
    if (parts.length != 4 || (!old && !checksum(content).equals(line.substring(last + 1)))) {
      return false;
    }
    try {
      into.put(
          parts[0],
          new Choice(
              ProductAlgorithm.parse(parts[1]),
              Double.parseDouble(parts[2]),
              Double.parseDouble(parts[3])));
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private synchronized void write(String key, Choice choice) {
    try {
      Map<String, Choice> all = read(); // with what another process has written meanwhile
      all.put(key, choice);
      StringBuilder text = new StringBuilder(HEADER).append('\n');
      all.forEach((k, c) -> text.append(c.line(k)).append('\n'));
      Files.createDirectories(file.toAbsolutePath().getParent());
      CrashSafeFiles.publish(file, text.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw failure("write", e);
    }
  }

  private DuokaException failure(String what, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot " + what + " the measured products " + file + ": " + IoReason.of(e),
        "Make the folder writable, or set XDG_CACHE_HOME to another place",
        e);
  }
}
