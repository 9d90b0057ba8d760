package dev.duoka.operations.watch;

import com.sun.net.httpserver.HttpServer;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
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

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final AccessToken token = AccessToken.random();
  private final List<HttpServer> servers = new ArrayList<>();
  private final AllowedHosts hosts;
  private final WatchHandler handler;
  private final Thread reader;

  private WatchServer(WatchedRuns runs, AllowedHosts hosts) {
    this.hosts = hosts;
    this.handler = new WatchHandler(runs, token, hosts);
    this.reader = Thread.ofPlatform().daemon().name("run-reader").unstarted(() -> readOn(runs));
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
    AllowedHosts allowed = new AllowedHosts(hosts);
    WatchServer started = new WatchServer(runs, allowed);
    started.serve(listen(address, port));
    started.reader.start();
    return started;
  }

  private void serve(HttpServer server) {
    server.setExecutor(executor);
    server.createContext("/", handler);
    allowAddress(server.getAddress().getAddress());
    server.start();
    servers.add(server);
  }

  /** Who asks for an address of this machine means it: no name of others leads there. */
  private void allowAddress(InetAddress address) {
    if (!address.isAnyLocalAddress()) {
      String name = address.getHostAddress();
      hosts.add(name.contains(":") ? "[" + name + "]" : name);
    }
  }

  /** Allows one more name under which a page may be asked for. */
  void allow(String host) {
    hosts.add(host);
  }

  /**
   * Listens at one more address of this machine, on the port that it has, so that other machines
   * can ask. One that stands for all addresses takes the place of the others.
   *
   * @throws DuokaException when that cannot be had; then all is as before
   */
  void listenAt(String address) {
    int port = port();
    try {
      InetAddress wanted = InetAddress.getByName(address);
      for (HttpServer server : servers) {
        InetAddress had = server.getAddress().getAddress();
        if (had.equals(wanted) || had.isAnyLocalAddress()) {
          allowAddress(wanted);
          return;
        }
      }
      if (!wanted.isAnyLocalAddress()) {
        serve(listen(address, port));
        return;
      }
    } catch (IOException e) {
      throw cannotListen(address, port, e);
    }
    List<HttpServer> before = List.copyOf(servers);
    before.forEach(server -> server.stop(0)); // who listens to a stream asks again
    servers.clear();
    try {
      serve(listen(address, port));
    } catch (IOException e) {
      for (HttpServer server : before) {
        serve(listen(server.getAddress().getHostString(), OptionalInt.of(port)));
      }
      throw cannotListen(address, port, e);
    }
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
    return servers.getFirst().getAddress().getPort();
  }

  /** The page's address with the token, which a browser keeps to itself: behind {@code #}. */
  public String address() {
    return "http://"
        + servers.getFirst().getAddress().getHostString()
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

  /** How many listen to streams. */
  int listening() {
    return handler.listening();
  }

  /** Ends at once; requests that are being answered are cut. */
  @Override
  public void close() {
    handler.close();
    servers.forEach(server -> server.stop(0));
    executor.shutdownNow();
    reader.interrupt();
  }
}
