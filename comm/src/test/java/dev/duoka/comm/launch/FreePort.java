package dev.duoka.comm.launch;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for processes that a test starts. */
public final class FreePort {
  /** Below those that the kernel lends to connections, which may take one that was just free. */
  private static final int FIRST = 20_000;

  private static final int COUNT = 12_000;

  /**
   * Those given already: of a dozen runs at once two would take the same one every now and then.
   */
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private FreePort() {}

  /** A port on which nobody listens, and which nobody was given before. */
  public static int any() {
    while (true) {
      int port = FIRST + ThreadLocalRandom.current().nextInt(COUNT);
      if (!GIVEN.add(port)) {
        continue;
      }
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // Somebody has it: another may be free.
      }
    }
  }
}
