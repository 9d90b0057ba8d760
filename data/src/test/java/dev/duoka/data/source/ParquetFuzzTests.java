package dev.duoka.data.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A damaged Parquet file is the file's fault, and named, whatever the decoder throws. */
class ParquetFuzzTests {
  private static final int VARIANTS = 100;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "text-none, false, 1",
    "text-zstd, false, 2",
    "text-snappy, false, 3",
    "text-gzip, false, 4",
    "null, false, 5",
    "messages, true, 6",
    "null, true, 7",
    "many-row-groups, false, 8"
  })
  void endsInDocumentsOrInAnErrorThatNamesTheFile(String name, boolean wholeRecord, long seed)
      throws IOException {
    byte[] whole = Files.readAllBytes(Path.of(RecordSourceTests.resource(name + ".parquet")));
    Random random = new Random(seed);
    Path file = folder.resolve("damaged.parquet");
    int refused = 0;
    for (int variant = 0; variant < VARIANTS; variant++) {
      // A new file: threads of the decoder that never end still read the one before.
      Files.deleteIfExists(file);
      Files.write(file, damaged(whole, random));
      SourceSpec spec = SourceSpec.of(file.toString());
      if (wholeRecord) {
        spec = spec.withContent(new RecordContent.WholeRecord());
      }
      SourceFile.Local local =
          new SourceFile.Local(file, "damaged.parquet", Files.size(file), "", true);
      try (DocumentReader reader =
          DataSource.parquet(
              ParquetFile.open(local, new Patience(Duration.ofMillis(500))),
              new ReadOptions(spec, new SkippedDocuments()))) {
        for (PendingDocument next = reader.next(); next != null; next = reader.next()) {
          next.load();
        }
      } catch (DuokaException e) {
        refused++;
        assertThat(e).hasMessageContaining("damaged.parquet");
      }
    }
    assertThat(refused).isPositive();
  }

  private static byte[] damaged(byte[] whole, Random random) {
    if (random.nextInt(4) == 0) {
      return Arrays.copyOf(whole, random.nextInt(whole.length));
    }
    byte[] bytes = whole.clone();
    // The footer decides how the rest is read.
    int from = random.nextBoolean() ? bytes.length / 2 : 0;
    for (int change = random.nextInt(6); change >= 0; change--) {
      bytes[from + random.nextInt(bytes.length - from)] = (byte) random.nextInt();
    }
    return bytes;
  }
}
