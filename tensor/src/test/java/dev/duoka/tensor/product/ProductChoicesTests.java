package dev.duoka.tensor.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.duoka.ffi.cuda.MatrixDtype;
import dev.duoka.ffi.cuda.MatrixProduct;
import dev.duoka.ffi.cuda.ProductAlgorithm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProductChoicesTests {
  private static final String PRODUCT = product(128);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("cache/products.tsv");
  }

  @Test
  void takesTheFastestAndRemembersItAcrossProcesses() {
    ProductAlgorithm chosen = choose(1.0, 0.8, 0.9);
    assertThat(chosen.text()).isEqualTo(algorithm(1).text());
    ProductAlgorithm again =
        new ProductChoices(file)
            .of(PRODUCT, () -> fail("asked again"), (_, _) -> fail("measured again"));
    assertThat(again.text()).isEqualTo(chosen.text());
  }

  /** The file may know more products than this process has computed. */
  @Test
  void tellsWhichWereAskedForInThisProcess() {
    ProductAlgorithm chosen = choose(1.0, 0.8, 0.9);
    ProductChoices next = new ProductChoices(file);
    assertThat(next.used()).isEmpty();
    next.of(PRODUCT, () -> fail("asked again"), (_, _) -> fail("measured again"));
    assertThat(next.used()).containsExactly(Map.entry(PRODUCT, chosen.text()));
    assertThat(next.name()).isEqualTo("products");
  }

  @Test
  void staysWithTheFavouriteForLessThanTheNoise() {
    assertThat(choose(1.0, 0.99).text()).isEqualTo(algorithm(0).text());
  }

  @Test
  void neverTakesOneThatFails() {
    assertThat(choose(1.0, Double.POSITIVE_INFINITY).text()).isEqualTo(algorithm(0).text());
  }

  @Test
  void takesAnotherWhereTheFavouriteFails() {
    assertThat(choose(Double.POSITIVE_INFINITY, 2.0).text()).isEqualTo(algorithm(1).text());
  }

  /** The favourite looks slower, but not once all run long enough to heat the card. */
  @Test
  void countsWhatLongRunsTake() {
    ProductAlgorithm chosen =
        new ProductChoices(file)
            .of(
                PRODUCT,
                () -> List.of(algorithm(0), algorithm(1), algorithm(2)),
                (algorithm, runs) -> {
                  boolean favourite = algorithm.text().equals(algorithm(0).text());
                  return runs > 2 == favourite ? 1 : 1.05;
                });
    assertThat(chosen.text()).isEqualTo(algorithm(0).text());
  }

  @Test
  void theFirstRoundDoesNotCount() {
    AtomicInteger calls = new AtomicInteger();
    ProductAlgorithm chosen =
        new ProductChoices(file)
            .of(
                PRODUCT,
                () -> List.of(algorithm(0), algorithm(1)),
                (algorithm, _) -> {
                  boolean loading = calls.getAndIncrement() < 2;
                  boolean favourite = algorithm.text().equals(algorithm(0).text());
                  return loading == favourite ? 1.05 : 1;
                });
    assertThat(chosen.text()).isEqualTo(algorithm(0).text());
  }

  @Test
  void remembersNothingWhereAllFail() {
    choose(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
    assertThat(file).doesNotExist();
  }

  @Test
  void measuresAgainWhatIsNoText() throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, (byte) 0x80});
    assertThat(choose(1.0, 0.5).text()).isEqualTo(algorithm(1).text());
  }

  @Test
  void keepsWhatAnotherProcessWroteMeanwhile() {
    ProductChoices one = new ProductChoices(file);
    ProductChoices other = new ProductChoices(file);
    other.of(product(256), () -> List.of(algorithm(3)), (_, _) -> 1);
    one.of(PRODUCT, () -> List.of(algorithm(0)), (_, _) -> 1);
    assertThat(file).content().contains(PRODUCT).contains(product(256)).startsWith("# product");
  }

  /** One rank's stream waits for another rank, which needs the same product first. */
  @Test
  void nobodyIsKeptWaitingByWhoMeasuresAndAllTakeTheSame() throws Exception {
    ProductChoices choices = new ProductChoices(file);
    CountDownLatch measuring = new CountDownLatch(1);
    CountDownLatch chosen = new CountDownLatch(1);
    try (ExecutorService ranks = Executors.newFixedThreadPool(2)) {
      Future<ProductAlgorithm> waiting =
          ranks.submit(
              () ->
                  choices.of(
                      PRODUCT,
                      () -> List.of(algorithm(1)),
                      (_, _) -> {
                        measuring.countDown();
                        await(chosen);
                        return 1;
                      }));
      await(measuring);
      ProductAlgorithm first = choices.of(PRODUCT, () -> List.of(algorithm(0)), (_, _) -> 1);
      chosen.countDown();
      assertThat(waiting.get(20, TimeUnit.SECONDS).text()).isEqualTo(first.text());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void measuresAgainWhatIsDamaged() throws IOException {
    choose(1.0, 0.5);
    Files.writeString(file, Files.readString(file).replace(algorithm(1).text(), "0101"));
    assertThat(choose(0.5, 1.0).text()).isEqualTo(algorithm(0).text());
  }

  /** Such a line can be read, but what it says is not what was measured. */
  @Test
  void measuresAgainWhatDoesNotMatchItsChecksum() throws IOException {
    choose(1.0, 0.5);
    String changed = algorithm(1).text().replaceFirst("01", "02");
    Files.writeString(file, Files.readString(file).replace(algorithm(1).text(), changed));
    assertThat(choose(0.5, 1.0).text()).isEqualTo(algorithm(0).text());
  }

  @Test
  void aDamagedLineCostsNoOther() throws IOException {
    choose(1.0, 0.5);
    Files.writeString(file, Files.readString(file) + "half a li");
    assertThat(known().text()).isEqualTo(algorithm(1).text());
  }

  @Test
  void filesWithoutChecksumsAreKept() throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        "# product, algorithm, its milliseconds, those of the library's own choice; delete to"
            + " measure again\n"
            + PRODUCT
            + "\t"
            + algorithm(1).text()
            + "\t0.5\t1.0\n");
    assertThat(known().text()).isEqualTo(algorithm(1).text());
    new ProductChoices(file).of(product(256), () -> List.of(algorithm(3)), (_, _) -> 1);
    assertThat(known().text()).isEqualTo(algorithm(1).text());
    assertThat(file).content().contains("checksum of the line");
  }

  private ProductAlgorithm known() {
    return new ProductChoices(file)
        .of(PRODUCT, () -> fail("asked again"), (_, _) -> fail("measured again"));
  }

  /** Chooses among algorithms that take so many milliseconds each, in a process of its own. */
  private ProductAlgorithm choose(double... milliseconds) {
    List<ProductAlgorithm> candidates =
        IntStream.range(0, milliseconds.length).mapToObj(ProductChoicesTests::algorithm).toList();
    return new ProductChoices(file)
        .of(PRODUCT, () -> candidates, (a, _) -> milliseconds[candidates.indexOf(a)]);
  }

  private static ProductAlgorithm algorithm(int number) {
    return ProductAlgorithm.parse(("0" + number).repeat(ProductAlgorithm.BYTES));
  }

  private static String product(int rows) {
    return MatrixProduct.of(
            rows, 64, 64, false, true, MatrixDtype.BFLOAT16, MatrixDtype.BFLOAT16, false)
        .key();
  }
}
