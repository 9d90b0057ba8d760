package dev.duoka.comm.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Operation;
import dev.duoka.comm.tcp.Frame.Kind;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes of one rank each, and what a test plays of the others. */
@Timeout(60)
class TcpWorldTests {
  /** Longer than a test may take. */
  private static final Duration LONG = Duration.ofMinutes(5);

  private static final Duration SHORT = Duration.ofMillis(500);

  /** Both ends of a connection. */
  private record Pair(SocketChannel here, SocketChannel there) {
    static Pair connected() throws IOException {
      try (ServerSocketChannel listener = ServerSocketChannel.open()) {
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        SocketChannel here = SocketChannel.open(listener.getLocalAddress());
        return new Pair(here, listener.accept());
      }
    }
  }

  private static TcpWorld world(
      int self, int processes, Map<Integer, SocketChannel> channels, Duration limit) {
    List<Peer> peers =
        IntStream.range(0, processes)
            .mapToObj(
                process ->
                    new Peer(
                        process,
                        process,
                        1,
                        "here",
                        process,
                        new InetSocketAddress("localhost", 1)))
            .toList();
    TcpWorld world = new TcpWorld(new Membership(peers, self, "", ""), channels, limit);
    world.start();
    return world;
  }

  private static TcpCommunicator communicator(TcpWorld world, int rank) {
    return new TcpCommunicator(world, world.endpoint(rank), world.all(), rank, ExchangeLedger.NONE);
  }

  private static IllegalStateException full() {
    return new IllegalStateException("no memory");
  }

  /** The process would wait for its limit else: the other side is there, and has nothing to say. */
  @Test
  void whereNothingCanBeWrittenTheRanksDoNotWait() throws Exception {
    Pair pair = Pair.connected();
    try (SocketChannel _ = pair.there();
        TcpWorld world = world(0, 2, Map.of(1, pair.here()), LONG)) {
      pair.here().shutdownOutput();
      assertThatThrownBy(communicator(world, 0)::barrier)
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("nothing can be written to the connection with process 1");
    }
  }

  /** When at last it comes all have said that they would go on, but some have not waited. */
  @Test
  void whoComesTooLateToBeginAgainLearnsWhyTheOthersDoNot() throws Exception {
    Pair first = Pair.connected();
    Pair second = Pair.connected();
    Pair third = Pair.connected();
    try (TcpWorld a = world(0, 3, Map.of(1, first.here(), 2, second.here()), SHORT);
        TcpWorld late = world(1, 3, Map.of(0, first.there(), 2, third.here()), LONG);
        TcpWorld c = world(2, 3, Map.of(0, second.there(), 1, third.there()), SHORT)) {
      CompletableFuture<Boolean> failing =
          CompletableFuture.supplyAsync(() -> c.renew(c.endpoint(2), full(), true));
      assertThat(a.renew(a.endpoint(0), awaited(a), true)).isFalse();
      assertThat(failing.get()).isFalse();
      assertThat(late.renew(late.endpoint(1), awaited(late), true)).as("all said so").isTrue();
      assertThatThrownBy(communicator(late, 1)::barrier)
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("rank 2 failed (no memory), and rank ")
          .hasMessageContaining(" has waited 0.5 s for process 1 (pid 1 on here) to begin again");
    }
  }

  /** Of a rank's own failure: none, when the world has come to know that of another one. */
  private static @Nullable Throwable awaited(TcpWorld world) throws InterruptedException {
    while (!world.isBroken()) {
      Thread.sleep(10);
    }
    return null;
  }

  /** It is in the middle of a piece when a rank fails, and the rest takes its time. */
  @Test
  void aSlowConnectionIsKeptWhereRanksMayBeginAgain() throws Exception {
    Pair pair = Pair.connected();
    try (SocketChannel other = pair.there();
        TcpWorld world = world(0, 2, Map.of(1, pair.here()), LONG);
        Tensor sent = Tensors.full(1, Dtype.FLOAT32, Device.CPU, 200_000);
        Tensor target = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 200_000)) {
      communicator(world, 0).receive(target, 1);
      Offer offer =
          Offer.of(
              world.all().ranks().call(Operation.SEND, sent, 0),
              TcpCommunicator.shape(sent),
              HostCopy.memoryOf(sent),
              Offer.Part.all(HostCopy.memoryOf(sent)));
      Slot slot = new Slot(world.all().id(), 0, true, 1);
      write(other, Frame.of(Kind.OFFER, slot, 1, 0, ByteBuffer.wrap(offer.encoded())).encoded());
      long request = request(other);
      ByteBuffer data = HostCopy.memoryOf(sent).asByteBuffer();
      write(other, Frame.dataHead(request, 0, data.remaining()));
      write(other, data.slice(0, data.limit() / 2));
      Thread.sleep(200); // it has begun to take the piece
      CompletableFuture<Boolean> renewal =
          CompletableFuture.supplyAsync(() -> world.renew(world.endpoint(0), full(), true));
      for (int at = data.limit() / 2; at < data.limit(); at += 20_000) {
        Thread.sleep(50);
        write(other, data.slice(at, 20_000));
      }
      Renewal.Word word = new Renewal.Word(true, false);
      write(other, Frame.about(Kind.RENEWED, 1, -1, word.encoded(), 0, "").encoded());
      assertThat(renewal.get(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Reads what asks for the tensor. */
  private static long request(SocketChannel channel) throws IOException {
    while (true) {
      Frame.Head next = Frame.decodeHead(read(channel, Frame.HEAD));
      read(channel, next.length());
      if (next.frame().kind() == Kind.PULL) {
        return next.frame().first();
      }
    }
  }

  private static ByteBuffer read(SocketChannel channel, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new EOFException("the world has closed its connection");
      }
    }
    return bytes.flip();
  }
}
