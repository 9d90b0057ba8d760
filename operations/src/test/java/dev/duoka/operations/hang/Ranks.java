package dev.duoka.operations.hang;

import dev.duoka.formats.heartbeat.HeartbeatWriter;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.formats.ledger.LedgerRecord;
import dev.duoka.formats.ledger.LedgerWriter;
import dev.duoka.operations.process.ProcessIdentity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Ranks that do nothing but write their files, and a clock. */
final class Ranks {
  private static final long NANOS = 1_000_000_000L;

  private final List<LedgerWriter> ledgers = new ArrayList<>();
  private final List<HeartbeatWriter> heartbeats = new ArrayList<>();
  private final HangWatch watch;
  private long now = NANOS;
  private long step;

  Ranks(Path folder, int ranks, HangLimits limits) {
    for (int rank = 0; rank < ranks; rank++) {
      ledgers.add(new LedgerWriter(folder.resolve("rank-" + rank + ".ledger"), rank, ranks, 64));
      heartbeats.add(
          new HeartbeatWriter(folder.resolve("rank-" + rank + ".heartbeat"), rank, ranks, 1000));
    }
    this.watch = new HangWatch(folder, 0, ranks, limits, 0);
  }

  /** A rank begins an exchange; its number. */
  long begins(int rank, String operation, String group, int peer) {
    return ledgers
        .get(rank)
        .issued(new LedgerRecord(0, operation, "FLOAT32", 64, 256, group, peer, "", 0, 0));
  }

  /** A rank's exchange has ended. */
  void ends(int rank, long sequence) {
    ledgers.get(rank).completed(sequence);
  }

  /** A rank is about something. */
  void enters(int rank, Phase phase, long bytes) {
    heartbeats.get(rank).enter(phase, step, bytes);
  }

  /** All ranks take steps of a tenth of a second, with an exchange each. */
  void takeSteps(int steps) {
    for (int i = 0; i < steps; i++) {
      step++;
      for (int rank = 0; rank < ledgers.size(); rank++) {
        enters(rank, Phase.STEP, 0);
        ends(rank, begins(rank, "all-reduce", "world", -1));
      }
      now += NANOS / 10;
      look();
    }
  }

  /** Time goes by, a look each half second; the last finding that was not fine or going on. */
  HangWatch.Finding pass(double seconds) {
    HangWatch.Finding found = HangWatch.Finding.FINE;
    for (int i = 0; i < seconds * 2; i++) {
      now += NANOS / 2;
      HangWatch.Finding finding = look();
      if (finding != HangWatch.Finding.FINE && finding != HangWatch.Finding.STILL) {
        found = finding;
      }
    }
    return found;
  }

  /** The whole machine stands still. */
  HangWatch.Finding sleep(double seconds) {
    now += (long) (seconds * NANOS);
    return look();
  }

  private HangWatch.Finding look() {
    return watch.look(List.of(ProcessIdentity.own()), now);
  }

  List<RankView> views() {
    return watch.views(now);
  }
}
