package dev.duoka.comm.tcp;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RankGroup;
import dev.duoka.comm.RankThreads;
import dev.duoka.comm.SingleRank;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The ranks that this process holds, among those of other processes with which it is connected.
 * Owns the connections.
 */
public final class TcpRanks implements AutoCloseable {
  /** Of the group of the processes' first ranks; groups of ranks count from 0. */
  private static final long LEADS = -1;

  private final Membership membership;
  private final TcpWorld world;

  private final Duration limit;

  private TcpRanks(Membership membership, TcpWorld world, Duration limit) {
    this.limit = limit;
    this.membership = membership;
    this.world = world;
  }

  /**
   * Connects with the other processes.
   *
   * @param listener where the others find this process; closed on return
   * @param meeting how long to wait for the other processes' connections
   * @param limit how long a rank waits for others without any progress before it gives up
   */
  public static TcpRanks connect(
      Membership membership, ServerSocketChannel listener, Duration meeting, Duration limit) {
    TcpWorld world = new TcpWorld(membership, Connections.of(membership, listener, meeting), limit);
    world.start();
    return new TcpRanks(membership, world, limit);
  }

  /**
   * The first ranks of all processes, before {@link #run}: one thread of each process at a time.
   */
  public Communicator leads() {
    List<Integer> firsts = membership.peers().stream().map(Peer::firstRank).toList();
    int own = membership.own().firstRank();
    return new TcpCommunicator(
        world,
        world.endpoint(own),
        new Group(LEADS, new RankGroup("processes", firsts), firsts),
        membership.self(),
        ExchangeLedger.NONE);
  }

  /**
   * Runs {@code body} for each rank of this process, each on a thread, and returns when they are
   * done. Once.
   *
   * @param ledgers makes each rank's ledger, by its number in the world
   * @throws RuntimeException what ended the run, if it did not end well: on every process the same
   *     reason, and in the process where a rank failed what it threw
   */
  public void run(IntFunction<ExchangeLedger> ledgers, RankBody body) {
    Group all = world.all();
    RankThreads.run(
        membership.own().firstRank(),
        membership.own().ranks(),
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
            world.finish(rank);
          }
        },
        (cause, rank) -> world.fail(rank, cause),
        () -> world.failure() != null,
        limit);
    RankThreads.throwIfFailed(world.finalFailure());
  }

  /** This process cannot go on: tells the others why, unless they know a reason already. */
  public void fail(Throwable cause) {
    world.fail(membership.own().firstRank(), cause);
  }

  /** Says the last words and closes all connections. */
  @Override
  public void close() {
    world.close();
  }
}
