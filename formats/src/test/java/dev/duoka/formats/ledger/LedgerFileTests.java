package dev.duoka.formats.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerFileTests {
  @TempDir private Path folder;

  private static LedgerRecord exchange(String operation, long elements, String block) {
    return new LedgerRecord(
        0, operation, "bfloat16", elements, 2 * elements, "world", -1, block, 0, 0);
  }

  @Test
  void aHangingRanksLastExchangeIsThereWithoutAnEnd() {
    Path path = folder.resolve("rank-3.ledger");
    LedgerWriter writer = new LedgerWriter(path, 3, 8, 16);
    writer.completed(writer.issued(exchange("reduce-scatter", 1024, "block 30, all")));
    writer.issued(exchange("all-gather", 256, "block 0, all"));
    LedgerFile file = LedgerFile.read(path);
    assertThat(file.rank()).isEqualTo(3);
    assertThat(file.world()).isEqualTo(8);
    assertThat(file.issued()).isEqualTo(2);
    assertThat(file.completed()).isEqualTo(1);
    LedgerRecord first = file.records().get(0);
    LedgerRecord second = file.records().get(1);
    assertThat(first.isCompleted()).isTrue();
    assertThat(first.completedNanos()).isGreaterThanOrEqualTo(first.issuedNanos());
    assertThat(second.isCompleted()).isFalse();
    assertThat(second)
        .isEqualTo(
            new LedgerRecord(
                2,
                "all-gather",
                "bfloat16",
                256,
                512,
                "world",
                -1,
                "block 0, all",
                second.issuedNanos(),
                0));
  }

  @Test
  void theRingKeepsTheLast() {
    Path path = folder.resolve("ring");
    LedgerWriter writer = new LedgerWriter(path, 0, 2, 4);
    for (int i = 1; i <= 10; i++) {
      long sequence = writer.issued(exchange("send", i, ""));
      assertThat(sequence).isEqualTo(i);
      writer.completed(sequence);
    }
    writer.completed(1); // long overwritten: nothing of the newer record changes
    List<LedgerRecord> records = LedgerFile.read(path).records();
    assertThat(records.stream().map(LedgerRecord::elements)).containsExactly(7L, 8L, 9L, 10L);
  }

  @Test
  void longNamesAreCutAndOldLedgersReplaced() {
    Path path = folder.resolve("names");
    new LedgerWriter(path, 0, 1, 4).issued(exchange("send", 1, "old"));
    LedgerWriter writer = new LedgerWriter(path, 0, 1, 4);
    writer.issued(exchange("an operation of a long name", 5, "b".repeat(100)));
    LedgerFile file = LedgerFile.read(path);
    assertThat(file.issued()).isEqualTo(1);
    assertThat(file.records().getFirst().operation()).isEqualTo("an operation of ");
    assertThat(file.records().getFirst().block()).isEqualTo("b".repeat(48));
  }

  /** Whatever the bytes: a ledger or an error that says why not. */
  @Test
  void damagedFilesEndInAnError() throws IOException {
    Path path = folder.resolve("damaged");
    LedgerWriter writer = new LedgerWriter(path, 0, 2, 8);
    for (int i = 0; i < 20; i++) {
      writer.issued(exchange("all-reduce", i, "block"));
    }
    byte[] good = Files.readAllBytes(path);
    SplittableRandom random = new SplittableRandom(17);
    int refused = 0;
    for (int round = 0; round < 500; round++) {
      byte[] bad = good.clone();
      for (int i = 0; i < 3; i++) {
        bad[random.nextInt(64)] = (byte) random.nextInt();
      }
      Files.write(path, round % 2 == 0 ? bad : Arrays.copyOf(bad, random.nextInt(900)));
      try {
        assertThat(LedgerFile.read(path).records().size()).isBetween(0, 8);
      } catch (DuokaException e) {
        refused++;
      }
    }
    assertThat(refused).as("seed 17").isGreaterThan(250);
    assertThatThrownBy(() -> LedgerFile.read(folder.resolve("none")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("none");
  }
}
