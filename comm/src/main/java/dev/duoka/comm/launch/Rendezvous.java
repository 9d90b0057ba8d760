package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.comm.tcp.Acceptor;
import dev.duoka.comm.tcp.Connections;
import dev.duoka.comm.tcp.Membership;
import dev.duoka.comm.tcp.Peer;
import dev.duoka.comm.tcp.RunSecret;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How the processes of a run learn of each other: all come to process 0, which tells them. */
final class Rendezvous {
  /** How much longer than process 0 the others wait, so that it can tell them who is missing. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  private Rendezvous() {}

  /**
   * Joins the run. Collective.
   *
   * @param terms which all must have the same
   * @param word what process 0 tells the others; of the others it does not count
   * @param ranks those of this process
   * @param port where this process takes connections
   * @param limit how long to wait for the others
   * @param secret what all must know
   */
  static Membership join(
      ProcessPlace place,
      Terms terms,
      String word,
      RankRange ranks,
      int port,
      Duration limit,
      RunSecret secret) {
    InetSocketAddress address = place.rendezvous().orElseThrow();
    Registration own =
        new Registration(
            terms,
            place.process(),
            place.processes(),
            ranks,
            hostName(),
            ProcessHandle.current().pid(),
            port);
    try {
      if (place.process() > 0) {
        return register(own, address, limit, secret);
      }
      try (RendezvousServer server = new RendezvousServer(own, address, word, secret)) {
        return server.await(limit);
      }
    } catch (IOException e) {
      throw lost(address, IoReason.of(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw lost(address, "interrupted", e);
    }
  }

  private static Membership register(
      Registration own, InetSocketAddress address, Duration limit, RunSecret secret)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    try (SocketChannel channel = Connections.call(address, "process 0", end)) {
      DataInputStream in = Acceptor.introduce(channel, secret, "process 0", limit.plus(GRACE));
      DataOutputStream out =
          new DataOutputStream(new BufferedOutputStream(channel.socket().getOutputStream()));
      own.write(out);
      out.flush();
      if (!Acceptor.startsWithWord(in)) {
        throw new EOFException("it does not speak like one of ours");
      }
      Reply reply = Reply.read(in);
      return switch (reply) {
        case Reply.Refusal refusal -> throw refusal.exception();
        case Reply.Table table -> reachable(table, channel).of(own.process());
      };
    } catch (SocketTimeoutException e) {
      throw lost(address, "it has not answered within " + limit.plus(GRACE).toSeconds() + " s", e);
    } catch (EOFException e) {
      throw lost(address, "it has ended, or is none of duoka's processes", e);
    }
  }

  /**
   * Processes on the host of process 0 have called it by an address of that host alone; for others
   * they are where they have called process 0.
   */
  private static Reply.Table reachable(Reply.Table table, SocketChannel channel) {
    InetAddress called = channel.socket().getInetAddress();
    if (called.isLoopbackAddress()) {
      return table;
    }
    List<Peer> peers = new ArrayList<>();
    for (Peer peer : table.peers()) {
      InetSocketAddress given =
          new InetSocketAddress(peer.address().getHostString(), peer.address().getPort());
      boolean isThere = given.getAddress() != null && given.getAddress().isLoopbackAddress();
      peers.add(
          isThere
              ? new Peer(
                  peer.process(),
                  peer.firstRank(),
                  peer.ranks(),
                  peer.host(),
                  peer.pid(),
                  InetSocketAddress.createUnresolved(called.getHostAddress(), given.getPort()))
              : peer);
    }
    return new Reply.Table(peers, table.token(), table.word());
  }

  /**
   * Where a process of a run takes connections: of a run whose processes meet on this machine's own
   * address nobody else can call.
   *
   * @param rendezvous where they meet
   * @param port 0 for any
   */
  static InetSocketAddress bindable(InetSocketAddress rendezvous, int port) {
    InetAddress meeting = new InetSocketAddress(rendezvous.getHostString(), 0).getAddress();
    return meeting != null && meeting.isLoopbackAddress()
        ? new InetSocketAddress(meeting, port)
        : new InetSocketAddress(port);
  }

  private static DuokaException lost(InetSocketAddress address, String reason, Exception cause) {
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "cannot meet the other processes at "
            + address.getHostString()
            + ":"
            + address.getPort()
            + ": "
            + reason,
        "See what process 0 says",
        cause);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "a host without a name";
    }
  }
}
