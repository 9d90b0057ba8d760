package dev.duoka.comm.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who comes when nobody asks any more is hung up on, and does not wait. */
@Timeout(60)
class AcceptorTests {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void aProcessThatHasSaidWhoItIsAfterTheEndIsHungUpOn() throws Exception {
    RunSecret secret = RunSecret.of(Map.of());
    CountDownLatch greeting = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    ServerSocketChannel listener = loopback();
    Acceptor<String> acceptor =
        new Acceptor<>(
            listener,
            secret,
            (_, _) -> {
              greeting.countDown();
              await(closed);
              return "late";
            });
    try (SocketChannel channel = SocketChannel.open(listener.getLocalAddress())) {
      DataInputStream in = Acceptor.introduce(channel, secret, "the other", LONG);
      await(greeting);
      acceptor.close();
      closed.countDown();
      assertThat(in.read()).isEqualTo(-1);
    }
    assertThat(acceptor.next(System.nanoTime())).isNull();
  }

  private static ServerSocketChannel loopback() throws IOException {
    return ServerSocketChannel.open()
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
