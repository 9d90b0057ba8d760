package dev.duoka.operations.hang;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.ledger.LedgerFile;
import dev.duoka.formats.ledger.LedgerRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A rank as its files show it while it hangs.
 *
 * @param heartbeat what it has said last
 * @param stoodNanos how long it has not got further
 * @param records its last exchanges, oldest first
 */
record RankView(Heartbeat heartbeat, long stoodNanos, List<LedgerRecord> records) {
  RankView {
    records = List.copyOf(records);
  }

  /**
   * Reads a rank's ledger.
   *
   * @param since in nanoseconds since 1970: what was exchanged before is of an earlier attempt
   */
  static RankView of(Path ledger, Heartbeat heartbeat, long stoodNanos, long since) {
    List<LedgerRecord> records;
    try {
      records =
          LedgerFile.read(ledger).records().stream()
              .filter(record -> record.issuedNanos() >= since)
              .toList();
    } catch (DuokaException e) {
      records = List.of(); // it has exchanged nothing yet
    }
    return new RankView(heartbeat, stoodNanos, records);
  }

  int rank() {
    return heartbeat.rank();
  }

  /** The exchange in which it waits for others; empty when it is about something else. */
  Optional<LedgerRecord> waitsIn() {
    return records.isEmpty() || records.getLast().isCompleted()
        ? Optional.empty()
        : Optional.of(records.getLast());
  }

  /** What it is about, for people. */
  String text() {
    String seconds = String.format(Locale.ROOT, "%.1f s", stoodNanos * 1e-9);
    String what = " in step " + heartbeat.step() + " (" + heartbeat.phase() + ")";
    return waitsIn()
        .map(record -> "has been for " + seconds + what + " in " + text(record))
        .orElseGet(() -> "never came: it has not got further for " + seconds + what);
  }

  /** An exchange for people, for example {@code all-reduce of 64 × FLOAT32 in data, its 17th}. */
  static String text(LedgerRecord record) {
    String with =
        switch (record.operation()) {
          case "send" -> " to rank " + record.peer();
          case "receive" -> " from rank " + record.peer();
          case "broadcast" -> " of rank " + record.peer();
          default -> "";
        };
    return record.operation()
        + (record.elements() == 0 ? "" : " of " + record.elements() + " × " + record.dtype())
        + with
        + " in "
        + record.group()
        + (record.block().isEmpty() ? "" : ", " + record.block())
        + ", exchange "
        + record.sequence();
  }
}
