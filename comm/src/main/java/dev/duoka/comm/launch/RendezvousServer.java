package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.comm.tcp.Acceptor;
import dev.duoka.comm.tcp.Membership;
import dev.duoka.comm.tcp.Peer;
import dev.duoka.comm.tcp.RunSecret;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Process 0 as the others find it: it takes them all, and tells each where all are. */
final class RendezvousServer implements AutoCloseable {
  /** Process 0 itself; the others know by which address they have called it. */
  private static final String HERE = "127.0.0.1";

  private final Registration own;
  private final InetSocketAddress address;
  private final String word;
  private final Acceptor<Arrived> acceptor;
  private final Map<Integer, Peer> peers = new TreeMap<>();
  private final List<SocketChannel> channels = new ArrayList<>();

  /** A process that has come, and the host that it called from. */
  private record Arrived(Registration registration, String from) {}

  /**
   * Begins to take the others.
   *
   * @param word what they are told
   * @param secret what they must know
   * @throws DuokaException {@code CONFIG} when the port is not free
   */
  RendezvousServer(Registration own, InetSocketAddress address, String word, RunSecret secret) {
    this.own = own;
    this.address = address;
    this.word = word;
    peers.put(0, own.peer(HERE));
    try {
      acceptor =
          new Acceptor<>(
              ServerSocketChannel.open().bind(Rendezvous.bindable(address, address.getPort())),
              secret,
              (in, channel) ->
                  new Arrived(
                      Registration.read(in), channel.socket().getInetAddress().getHostAddress()));
    } catch (BindException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "process 0 cannot take the other processes at port "
              + address.getPort()
              + ": "
              + IoReason.of(e),
          "Choose a free port by DUOKA_RENDEZVOUS (HOST:PORT) or MASTER_PORT, the same for all"
              + " processes, or end what has it: ss -ltnp 'sport = :"
              + address.getPort()
              + "'",
          e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "process 0 cannot take the other processes at port "
              + address.getPort()
              + ": "
              + IoReason.of(e),
          "",
          e);
    }
  }

  /** Waits until all have come. */
  Membership await(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (peers.size() < own.processes()) {
      Acceptor.Arrival<Arrived> arrival = acceptor.next(end);
      Optional<Reply.Refusal> refusal =
          arrival == null ? Optional.of(missing(limit)) : take(arrival);
      if (refusal.isPresent()) {
        tellAll(refusal.get());
        throw refusal.get().exception();
      }
    }
    byte[] token = new byte[16];
    new SecureRandom().nextBytes(token);
    Reply.Table table =
        new Reply.Table(List.copyOf(peers.values()), HexFormat.of().formatHex(token), word);
    tellAll(table);
    return table.of(0);
  }

  private Optional<Reply.Refusal> take(Acceptor.Arrival<Arrived> arrival) {
    channels.add(arrival.channel());
    Registration other = arrival.greeting().registration();
    String version = other.terms().version();
    if (!version.equals(own.terms().version())) {
      return refuse(
          other + " is of version " + version + ", but " + own + " of " + own.terms().version(),
          "Install the same version on all machines");
    }
    if (other.processes() != own.processes() || other.ranks().world() != own.ranks().world()) {
      return refuse(
          other + " is of a run of " + size(other) + ", but " + own + " of one of " + size(own),
          "Start all with the same run file and the same number of processes");
    }
    if (other.ranks().first() != other.process() * own.ranks().count()
        || other.ranks().count() != own.ranks().count()) {
      return refuse(
          other + " holds other ranks than its place says: " + other.ranks().text(),
          "Start all with the same launch.ranks_per_process");
    }
    String difference = other.terms().difference(own.terms());
    if (!difference.isEmpty()) {
      return refuse(
          other + " and " + own + " are of different runs, the first difference: " + difference,
          "Start all with the same run file and the same options");
    }
    Peer before = peers.get(other.process());
    if (before != null || other.process() < 0 || other.process() >= own.processes()) {
      return refuse(
          "process " + other.process() + " is there twice: " + before + " and " + other,
          "Give each process a number of its own");
    }
    peers.put(other.process(), other.peer(arrival.greeting().from()));
    return Optional.empty();
  }

  private static String size(Registration of) {
    return of.processes() + " processes and " + of.ranks().world() + " ranks";
  }

  private static Optional<Reply.Refusal> refuse(String problem, String remedy) {
    return Optional.of(new Reply.Refusal(ErrorCode.CONFIG, problem, remedy));
  }

  private Reply.Refusal missing(Duration limit) {
    List<Integer> missing =
        IntStream.range(0, own.processes())
            .filter(process -> !peers.containsKey(process))
            .boxed()
            .toList();
    return new Reply.Refusal(
        ErrorCode.RANK_LOST,
        "of "
            + own.processes()
            + " processes these have not come to "
            + address.getHostString()
            + ":"
            + address.getPort()
            + " within "
            + limit.toSeconds()
            + " s: "
            + missing,
        "See what they say; the address must be that of process 0, on " + own.host());
  }

  private void tellAll(Reply reply) {
    for (SocketChannel channel : channels) {
      try {
        Acceptor.sendWord(channel);
        reply.write(new DataOutputStream(channel.socket().getOutputStream()));
      } catch (IOException e) {
        // It has gone; whoever connects with it next finds that out.
      }
    }
  }

  @Override
  public void close() throws IOException {
    acceptor.close();
    for (SocketChannel channel : channels) {
      channel.close();
    }
  }
}
