package dev.duoka.train.run;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for processes that a test starts. */
public final class FreePort {
  /** Below those that the kernel lends to connections, which may take one that was just free. */
  private static final int FIRST = 20_000;

  private static final int COUNT = 12_000;

  private FreePort() {}

  /** A port on which nobody listens. */
  public static int any() {
    while (true) {
      int port = FIRST + ThreadLocalRandom.current().nextInt(COUNT);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // Somebody has it: another may be free.
      }
    }
  }
}
