package dev.duoka.operations.watch;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers Prometheus, at {@code /metrics} of a listener of its own, to whoever has its token. That
 * is kept in a file, for Prometheus must know it beforehand.
 */
public final class PrometheusServer implements AutoCloseable {
  private static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final HttpServer server;
  private final ExecutorService executor;
  private final Path tokenFile;

  private PrometheusServer(HttpServer server, ExecutorService executor, Path tokenFile) {
    this.server = server;
    this.executor = executor;
    this.tokenFile = tokenFile;
  }

  /**
   * Starts to answer.
   *
   * @param address of this machine to listen at; another one than the loopback's lets other
   *     machines ask
   * @throws DuokaException when the port cannot be had
   */
  public static PrometheusServer start(
      WatchedRuns runs, StateFolder state, String address, int port) {
    Path file = AddressFile.folder(state).resolve("prometheus.token");
    AccessToken token = token(file);
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getByName(address), port), 0);
      server.setExecutor(executor);
      server.createContext("/", exchange -> answer(exchange, runs, token));
      server.start();
      return new PrometheusServer(server, executor, file);
    } catch (IOException e) {
      executor.shutdownNow();
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot serve metrics at " + address + ":" + port + ": " + IoReason.of(e),
          "Choose another port with --prometheus",
          e);
    }
  }

  private static AccessToken token(Path file) {
    try {
      if (!Files.exists(file)) {
        AddressFile.write(file, AccessToken.random().text());
      }
      return new AccessToken(Files.readString(file, StandardCharsets.UTF_8).strip());
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Delete it", e);
    }
  }

  private static void answer(HttpExchange exchange, WatchedRuns runs, AccessToken token)
      throws IOException {
    try (exchange) {
      List<String> given = exchange.getRequestHeaders().get("Authorization");
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.sendResponseHeaders(405, -1);
      } else if (given == null || given.size() != 1 || !token.isIn(given.getFirst())) {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
        exchange.sendResponseHeaders(401, -1);
      } else if (!exchange.getRequestURI().getRawPath().equals("/metrics")) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        Optional<WatchedRun> run = runs.find(Optional.empty());
        byte[] text = run.map(PrometheusText::of).orElse("").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", TYPE);
        exchange.sendResponseHeaders(200, text.length == 0 ? -1 : text.length);
        exchange.getResponseBody().write(text);
      }
    }
  }

  /** The port that it has. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** The file with the token, which only this user may read. */
  public Path tokenFile() {
    return tokenFile;
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
