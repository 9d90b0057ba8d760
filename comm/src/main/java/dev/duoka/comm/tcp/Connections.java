package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Connects a process with all others: it calls those before it, and is called by those after. */
public final class Connections {
  private static final long PAUSE_MILLISECONDS = 50;

  private Connections() {}

  /** One connection to each other process, by its number. */
  static Map<Integer, SocketChannel> of(
      Membership membership, ServerSocketChannel listener, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    RunSecret secret = RunSecret.of(System.getenv());
    Map<Integer, SocketChannel> channels = new HashMap<>();
    boolean complete = false;
    try (Acceptor<Integer> acceptor =
        new Acceptor<>(
            listener,
            secret,
            (in, _) -> {
              int process = in.readInt();
              boolean wanted =
                  in.readUTF().equals(membership.token()) && process > membership.self();
              return wanted ? process : null;
            })) {
      for (Peer peer : membership.peers().subList(0, membership.self())) {
        channels.put(peer.process(), call(peer, membership, secret, end));
      }
      List<Peer> later =
          membership.peers().subList(membership.self() + 1, membership.peers().size());
      while (channels.size() < membership.peers().size() - 1) {
        Acceptor.Arrival<Integer> arrival = acceptor.next(end);
        if (arrival == null) {
          throw missing(
              later.stream().filter(peer -> !channels.containsKey(peer.process())).toList(), limit);
        }
        channels.put(arrival.greeting(), arrival.channel());
      }
      complete = true;
      return new TreeMap<>(channels);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.RANK_LOST, "cannot connect with the other processes: " + IoReason.of(e), "", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(
          ErrorCode.RANK_LOST, "interrupted while the processes connect", "", e);
    } finally {
      if (!complete) {
        channels.values().forEach(Acceptor::close);
      }
    }
  }

  private static DuokaException missing(List<Peer> peers, Duration limit) {
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "waited " + limit.toSeconds() + " s for a connection of " + peers,
        "See what they say; ports above 1024 must be open between the hosts");
  }

  private static SocketChannel call(Peer peer, Membership membership, RunSecret secret, long end)
      throws IOException, InterruptedException {
    SocketChannel channel = call(peer.address(), peer.toString(), end);
    boolean greeted = false;
    try {
      long left = Math.max(1, end - System.nanoTime());
      Acceptor.introduce(channel, secret, peer.toString(), Duration.ofNanos(left).plusMillis(1));
      channel.socket().setSoTimeout(0);
      DataOutputStream out = new DataOutputStream(channel.socket().getOutputStream());
      out.writeInt(membership.self());
      out.writeUTF(membership.token());
      out.flush();
      greeted = true;
      return channel;
    } finally {
      if (!greeted) {
        Acceptor.close(channel);
      }
    }
  }

  /**
   * Calls a process until it answers.
   *
   * @param who in words
   * @param end when to give up, by {@link System#nanoTime}
   * @throws DuokaException {@code RANK_LOST} when it does not
   */
  public static SocketChannel call(InetSocketAddress address, String who, long end)
      throws InterruptedException {
    while (true) {
      // Resolved anew each time: a host's name may become known while its job starts.
      InetSocketAddress resolved =
          new InetSocketAddress(address.getHostString(), address.getPort());
      try {
        if (resolved.isUnresolved()) {
          throw new IOException("nobody knows the host " + address.getHostString());
        }
        SocketChannel channel = SocketChannel.open();
        boolean connected = false;
        try {
          long left = Math.max(1, (end - System.nanoTime()) / 1_000_000);
          channel.socket().connect(resolved, (int) Math.min(left, 5_000));
          channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
          connected = true;
          return channel;
        } finally {
          if (!connected) {
            Acceptor.close(channel);
          }
        }
      } catch (IOException e) {
        if (System.nanoTime() >= end) {
          throw new DuokaException(
              ErrorCode.RANK_LOST,
              "cannot reach "
                  + who
                  + " at "
                  + address.getHostString()
                  + ":"
                  + address.getPort()
                  + ": "
                  + IoReason.of(e),
              "See that it runs, and that the port is open between the hosts",
              e);
        }
        Thread.sleep(PAUSE_MILLISECONDS);
      }
    }
  }
}
