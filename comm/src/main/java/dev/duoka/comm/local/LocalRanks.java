package dev.duoka.comm.local;

import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RankThreads;
import dev.duoka.comm.SingleRank;
import java.util.function.IntFunction;

/** Runs the ranks of one process, each on a platform thread of its own. */
public final class LocalRanks {
  private LocalRanks() {}

  /**
   * Runs {@code body} on {@code size} ranks and returns when all are done. A group of one runs on
   * the calling thread.
   *
   * @throws RuntimeException the first failure of a rank; the others were stopped by it
   */
  public static void run(int size, RankBody body) {
    run(size, _ -> ExchangeLedger.NONE, body);
  }

  /**
   * As {@link #run(int, RankBody)}.
   *
   * @param ledgers makes each rank's ledger, to which it writes what it exchanges
   */
  public static void run(int size, IntFunction<ExchangeLedger> ledgers, RankBody body) {
    if (size == 1) {
      runSingle(body);
      return;
    }
    try (LocalWorld world = new LocalWorld()) {
      LocalGroup group = LocalGroup.ofWorld(world, size);
      RankThreads.run(
          0,
          size,
          rank -> runRank(rank, group, ledgers, body),
          (cause, rank) -> world.breakBecauseOf(rank, cause));
      RankThreads.throwIfFailed(world.failure());
    }
  }

  private static void runSingle(RankBody body) {
    try {
      body.run(new SingleRank());
    } catch (Exception e) {
      RankThreads.throwIfFailed(e);
    }
  }

  private static void runRank(
      int rank, LocalGroup group, IntFunction<ExchangeLedger> ledgers, RankBody body) {
    try {
      body.run(new LocalCommunicator(group, rank, ledgers.apply(rank)));
      group.world().leave(rank);
    } catch (Throwable t) { // whatever it is, the other ranks must not wait for this one
      group.world().breakBecauseOf(rank, t);
    }
  }
}
