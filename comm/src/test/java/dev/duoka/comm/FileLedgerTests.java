package dev.duoka.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.comm.local.LocalRanks;
import dev.duoka.formats.ledger.LedgerFile;
import dev.duoka.formats.ledger.LedgerRecord;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLedgerTests {
  @TempDir private Path folder;

  /** Rank 1 dies while rank 0 waits for it: the file says in what. */
  @Test
  void anExchangeThatNeverEndsIsTheLastOne() {
    AtomicBoolean mayWrite = new AtomicBoolean();
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    2,
                    rank -> new FileLedger(folder.resolve("rank-" + rank), rank, 2, mayWrite::get),
                    world -> {
                      world.agreement().barrier();
                      mayWrite.set(true);
                      world.agreement().barrier();
                      try (Tensor tensor = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 6)) {
                        world.allReduce(tensor).join();
                        if (world.rank() == 1) {
                          throw new IllegalStateException("lost");
                        }
                        try (Purpose _ = Purpose.of("layer 7")) {
                          world.broadcast(tensor, 1).join();
                        }
                      }
                    }))
        .hasMessage("lost");
    LedgerFile ledger = LedgerFile.read(folder.resolve("rank-0"));
    List<LedgerRecord> records = ledger.records();
    assertThat(records.getLast().operation()).isEqualTo("broadcast");
    assertThat(records.getLast().isCompleted()).isFalse();
    assertThat(records.getLast().bytes()).isEqualTo(24);
    assertThat(records.getLast().block()).isEqualTo("layer 7");
    LedgerRecord before = records.get(records.size() - 2);
    assertThat(before.operation()).isEqualTo("all-reduce");
    assertThat(before.isCompleted()).isTrue();
    assertThat(ledger.issued()).isEqualTo(ledger.completed() + 1);
  }

  @Test
  void ranksHaveTheWorldsNumbers() {
    Path path = folder.resolve("pair");
    FileLedger ledger = new FileLedger(path, 2, 6, () -> true);
    RankGroup pair = new RankGroup("tensor", List.of(2, 5));
    ledger.issued(pair.call(Operation.SEND, 4, Dtype.FLOAT32, 1));
    assertThat(LedgerFile.read(path).records().getLast().peer()).isEqualTo(5);
    assertThat(pair.call(Operation.SEND, 4, Dtype.FLOAT32, 1))
        .hasToString("send of 4 × float32 to rank 5 in tensor group of ranks 2,5");
  }

  @Test
  void nothingIsWrittenBeforeItMayBe() {
    Path path = folder.resolve("none");
    FileLedger ledger = new FileLedger(path, 0, 2, () -> false);
    ledger.completed(ledger.issued(RankGroup.WORLD.call(Operation.BARRIER, 0, null, -1)));
    assertThat(Files.exists(path)).isFalse();
  }
}
