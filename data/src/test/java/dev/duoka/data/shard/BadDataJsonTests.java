package dev.duoka.data.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BadDataJsonTests {
  private static final BadDataReport REPORT =
      new BadDataReport(
          Map.of(SkipReason.ROLE_ORDER, 3L, SkipReason.LONG_TURN, 2L),
          Map.of(SkipReason.LONG_TURN, 2L),
          Map.of("chats end with a question", 5L),
          List.of(
              new BadDataReport.Place(
                  SkipReason.ROLE_ORDER,
                  "a.jsonl line 7",
                  "messages[1]",
                  "say\\n",
                  "Correct it.")));

  @TempDir Path folder;

  /** Whatever the bytes: tokens are no worse for a report that is lost. */
  @Test
  void damageCostsNoMoreThanTheReport() throws IOException {
    byte[] whole = BadDataJson.write(REPORT);
    Path file = folder.resolve(BadDataJson.FILE_NAME);
    assertThat(BadDataJson.read(file)).isEqualTo(BadDataReport.NOTHING);
    Files.write(file, whole);
    assertThat(BadDataJson.read(file)).isEqualTo(REPORT);
    Random random = new Random(9);
    int unread = 0;
    for (int i = 0; i < 400; i++) {
      byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      Files.write(file, damaged);
      unread += BadDataJson.read(file).equals(BadDataReport.NOTHING) ? 1 : 0;
    }
    assertThat(unread).isGreaterThan(300);
  }
}
