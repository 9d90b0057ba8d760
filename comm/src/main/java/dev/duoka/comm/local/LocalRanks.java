package dev.duoka.comm.local;

import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RankThreads;
import dev.duoka.comm.SingleRank;
import java.time.Duration;
import java.util.function.IntFunction;

/** Runs the ranks of one process, each on a platform thread of its own. */
public final class LocalRanks {
  /** How long a rank waits for the others unless it is said. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

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
    run(size, LONGEST_WAIT, ledgers, body);
  }

  /**
   * As {@link #run(int, RankBody)}. When the ranks have failed and one of them still does not end
   * within the limit, it is left behind: its thread ends with the process.
   *
   * @param limit how long a rank waits for others before all end with a message that says where
   *     those are
   * @param ledgers makes each rank's ledger, to which it writes what it exchanges
   */
  public static void run(
      int size, Duration limit, IntFunction<ExchangeLedger> ledgers, RankBody body) {
    if (size == 1) {
      runSingle(body);
      return;
    }
    LocalWorld world = new LocalWorld(size, limit);
    LocalGroup group = LocalGroup.ofWorld(world, size);
    boolean ended =
        RankThreads.run(
            0,
            size,
            rank -> runRank(rank, group, ledgers, body),
            (cause, rank) -> world.breakBecauseOf(rank, cause),
            () -> world.failure() != null,
            limit);
    if (ended) {
      world.close(); // else who is left behind may still use what it holds
    }
    RankThreads.throwIfFailed(world.failure());
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
    group.world().views().begins(rank);
    try {
      body.run(new LocalCommunicator(group, rank, ledgers.apply(rank)));
      group.world().leave(rank);
    } catch (Throwable t) { // whatever it is, the other ranks must not wait for this one
      group.world().fail(rank, t);
    }
  }
}
