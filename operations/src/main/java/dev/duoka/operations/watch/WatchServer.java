package dev.duoka.operations.watch;

import com.sun.net.httpserver.HttpServer;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves the page of a run to this machine alone, on its loopback address, until it is closed. A
 * thread of its own reads on in the run's files; nothing is written to them.
 */
public final class WatchServer implements AutoCloseable {
  /** Where it is served unless something else is. */
  private static final int USUAL_PORT = 7470;

  /** After what time the JDK's server hangs up on who has not sent all of a request. */
  private static final String LONGEST_REQUEST = "sun.net.httpserver.maxReqTime";

  /** Where it listens unless something else is said. */
  public static final String LOOPBACK = "127.0.0.1";

  private static final long TICK_MILLISECONDS = 500;

  private final HttpServer server;
  private final ExecutorService executor;
  private final Thread reader;
  private final AccessToken token;
  private final WatchHandler handler;

  private WatchServer(
      HttpServer server,
      ExecutorService executor,
      Thread reader,
      AccessToken token,
      WatchHandler handler) {
    this.handler = handler;
    this.server = server;
    this.executor = executor;
    this.reader = reader;
    this.token = token;
  }

  /**
   * Starts to serve; returns at once, while the run is still being read.
   *
   * @param port to take; where there is none, the usual one, or any when that is taken
   * @param hosts names besides those of this machine for itself under which a page may be asked for
   * @throws DuokaException when the port cannot be had
   */
  public static WatchServer start(WatchedRuns runs, OptionalInt port, Set<String> hosts) {
    return start(runs, port, hosts, LOOPBACK);
  }

  /**
   * As the other method.
   *
   * @param address of this machine to listen at; another one than the loopback's lets other
   *     machines ask
   */
  public static WatchServer start(
      WatchedRuns runs, OptionalInt port, Set<String> hosts, String address) {
    AccessToken token = AccessToken.random();
    HttpServer server = listen(address, port);
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(executor);
    WatchHandler handler = new WatchHandler(runs, token, new AllowedHosts(hosts));
    server.createContext("/", handler);
    Thread reader = Thread.ofPlatform().daemon().name("run-reader").start(() -> readOn(runs));
    server.start();
    return new WatchServer(server, executor, reader, token, handler);
  }

  private static HttpServer listen(String address, OptionalInt port) {
    try {
      return listen(address, port.orElse(USUAL_PORT));
    } catch (IOException e) {
      if (port.isPresent()) {
        throw cannotListen(address, port.getAsInt(), e);
      }
    }
    try {
      return listen(address, 0);
    } catch (IOException e) {
      throw cannotListen(address, 0, e);
    }
  }

  private static HttpServer listen(String address, int port) throws IOException {
    if (System.getProperty(LONGEST_REQUEST) == null) {
      System.setProperty(LONGEST_REQUEST, "30"); // seconds, else for ever
    }
    return HttpServer.create(new InetSocketAddress(InetAddress.getByName(address), port), 0);
  }

  private static DuokaException cannotListen(String address, int port, IOException e) {
    return new DuokaException(
        ErrorCode.USAGE,
        "cannot serve on port " + port + " of " + address + ": " + IoReason.of(e),
        "Choose another one with --port",
        e);
  }

  private static void readOn(WatchedRuns runs) {
    try {
      while (true) {
        runs.readOn();
        Thread.sleep(TICK_MILLISECONDS);
      }
    } catch (InterruptedException e) {
      // It is closed.
    }
  }

  /** The port that it has. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** The page's address with the token, which a browser keeps to itself: behind {@code #}. */
  public String address() {
    return "http://"
        + server.getAddress().getHostString()
        + ":"
        + port()
        + "/#token="
        + token.text();
  }

  /** The same of one run among those that are listed. */
  static String address(String address, String run) {
    return address + "&run=" + run;
  }

  /** How long nobody has asked for anything, in seconds. */
  long idleSeconds() {
    return handler.idleSeconds();
  }

  /** Ends at once; requests that are being answered are cut. */
  @Override
  public void close() {
    handler.close();
    server.stop(0);
    executor.shutdownNow();
    reader.interrupt();
  }
}
