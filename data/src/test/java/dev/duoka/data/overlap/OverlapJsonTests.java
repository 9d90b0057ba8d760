package dev.duoka.data.overlap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OverlapJsonTests {
  private static final OverlapReport REPORT =
      new OverlapReport(
          List.of(new OverlapReport.SourceCopies("code", 3, 1)),
          List.of("a is the same as b"),
          40,
          39,
          1,
          2,
          3,
          List.of("c is trained on as d"));

  @TempDir Path folder;

  /** Whatever the bytes: a report or none, which is made again. */
  @Test
  void damageCostsNoMoreThanTheReport() throws IOException {
    byte[] whole = OverlapJson.write(REPORT);
    Path file = folder.resolve("overlap.json");
    assertThat(OverlapJson.read(file)).isEmpty();
    Files.write(file, whole);
    assertThat(OverlapJson.read(file)).contains(REPORT);
    Random random = new Random(8);
    int unread = 0;
    for (int i = 0; i < 400; i++) {
      byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      Files.write(file, damaged);
      unread += OverlapJson.read(file).isEmpty() ? 1 : 0;
    }
    assertThat(unread).isGreaterThan(300);
  }
}
