package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.comm.tcp.Membership;
import dev.duoka.comm.tcp.TcpRanks;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.function.IntFunction;

/** Runs the ranks of a process, alone or among those of other processes. */
public final class ProcessRanks {
  private ProcessRanks() {}

  /**
   * Runs {@code body} for each rank that this process holds, and returns when they are done.
   *
   * @param place of this process
   * @param ranks those of this process
   * @param limit how long to wait for other processes, and for ranks of theirs, without any
   *     progress
   * @param ledgers makes each rank's ledger, by its number in the world
   * @throws RuntimeException what ended the run; of another process's rank a {@code RANK_LOST}
   */
  public static void run(
      ProcessPlace place,
      RankRange ranks,
      Duration limit,
      IntFunction<ExchangeLedger> ledgers,
      RankBody body) {
    run(place, ranks, limit, ledgers, body, version());
  }

  static void run(
      ProcessPlace place,
      RankRange ranks,
      Duration limit,
      IntFunction<ExchangeLedger> ledgers,
      RankBody body,
      String version) {
    if (place.isAlone()) {
      LocalRanks.run(ranks.count(), ledgers, body);
      return;
    }
    try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(0))) {
      Membership membership =
          Rendezvous.join(place, version, ranks, listener.socket().getLocalPort(), limit);
      TcpRanks.run(membership, listener, limit, ledgers, body);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "this process cannot take connections of the others: " + IoReason.of(e),
          "",
          e);
    }
  }

  /** The program's version; all its modules have the same. */
  private static String version() {
    var descriptor = ProcessRanks.class.getModule().getDescriptor();
    return descriptor == null ? "development" : descriptor.rawVersion().orElse("development");
  }
}
