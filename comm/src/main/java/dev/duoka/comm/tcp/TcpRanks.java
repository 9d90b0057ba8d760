package dev.duoka.comm.tcp;

import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RankThreads;
import dev.duoka.comm.SingleRank;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.function.IntFunction;

/** Runs the ranks that this process holds, each on a thread, among those of other processes. */
public final class TcpRanks {
  private TcpRanks() {}

  /**
   * Connects with the other processes, runs {@code body} for each rank of this one, and returns
   * when they are done.
   *
   * @param listener where the others find this process; closed on return
   * @param limit how long a rank waits for others without any progress before it gives up
   * @param ledgers makes each rank's ledger, by its number in the world
   * @throws RuntimeException what ended the run, if it did not end well: on every process the same
   *     reason, and in the process where a rank failed what it threw
   */
  public static void run(
      Membership membership,
      ServerSocketChannel listener,
      Duration limit,
      IntFunction<ExchangeLedger> ledgers,
      RankBody body) {
    Peer own = membership.own();
    try (TcpWorld world =
        new TcpWorld(membership, Connections.of(membership, listener, limit), limit)) {
      world.start();
      Group all = world.all();
      RankThreads.run(
          own.firstRank(),
          own.ranks(),
          rank -> {
            try {
              body.run(
                  all.size() == 1
                      ? new SingleRank()
                      : new TcpCommunicator(
                          world, world.endpoint(rank), all, rank, ledgers.apply(rank)));
              world.finish(rank);
            } catch (Throwable t) { // whatever it is, the other ranks must not wait for this one
              world.fail(rank, t);
            }
          },
          (cause, rank) -> world.fail(rank, cause));
      RankThreads.throwIfFailed(world.finalFailure());
    }
  }
}
