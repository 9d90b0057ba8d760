package dev.duoka.operations.watch;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.cards.CardProcess;
import dev.duoka.operations.cards.CardsJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import tools.jackson.databind.node.ObjectNode;

/**
 * Answers requests: reading ones alone, from pages of this machine alone, and about the run only to
 * who has the token. Paths are compared as they are sent, so that no spelling leads anywhere else.
 */
final class WatchHandler implements HttpHandler {
  private static final long NO_BODY = -1;
  private static final String API = "/api/";
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
          + " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final WatchedRuns runs;
  private final CardProcess cards = new CardProcess();
  private final EventStreams streams = new EventStreams();
  private final AccessToken token;
  private final AllowedHosts hosts;
  private final PageFiles page = new PageFiles();
  private volatile long lastAsked = System.nanoTime();

  WatchHandler(WatchedRuns runs, AccessToken token, AllowedHosts hosts) {
    this.runs = runs;
    this.token = token;
    this.hosts = hosts;
  }

  /** An answer of a few words. */
  private record Refusal(int status, String text) {}

  private static final Map<String, BiFunction<RunJson, WatchQuery, ObjectNode>> ANSWERS =
      Map.of(
          "run", (run, query) -> run.overview(),
          "config", (run, query) -> run.config(),
          "series", (run, query) -> run.series(query.all("name"), query.window()),
          "heat", (run, query) -> run.heat(MetricsLine.GRADIENT_RMS, query.window()),
          "heat-max", (run, query) -> run.heat(MetricsLine.GRADIENT_MAX, query.window()));

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      answer(exchange);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    Headers headers = exchange.getRequestHeaders();
    String path = exchange.getRequestURI().getRawPath();
    if (!hosts.allowHost(all(headers, "Host"))) {
      refuse(exchange, new Refusal(421, "This name is not allowed; see --allow-host."));
    } else if (!hosts.allowOrigin(all(headers, "Origin"))) {
      refuse(exchange, new Refusal(403, "Pages of others may not ask."));
    } else if (!exchange.getRequestMethod().equals("GET")) {
      exchange.getResponseHeaders().set("Allow", "GET");
      refuse(exchange, new Refusal(405, "Nothing can be changed here."));
    } else if (path.startsWith(API)) {
      List<String> given = all(headers, "Authorization");
      if (given.size() != 1 || !token.isIn(given.getFirst())) {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
        refuse(exchange, new Refusal(401, "The token is missing or wrong."));
      } else {
        answerAboutRun(exchange, path.substring(API.length()));
      }
    } else {
      Optional<byte[]> file = page.at(path);
      if (file.isPresent()) {
        send(exchange, 200, PageFiles.type(path), file.get());
      } else {
        refuse(exchange, new Refusal(404, "There is nothing here."));
      }
    }
  }

  private void answerAboutRun(HttpExchange exchange, String name) throws IOException {
    lastAsked = System.nanoTime();
    try {
      WatchQuery query = new WatchQuery(exchange.getRequestURI().getRawQuery());
      if (name.equals("runs") || name.equals("cards")) {
        sendJson(exchange, name.equals("runs") ? runs.json() : cardsJson());
        return;
      }
      boolean known = name.equals("events") || ANSWERS.containsKey(name);
      Optional<WatchedRun> run = known ? runs.find(query.run()) : Optional.empty();
      if (run.isEmpty()) {
        refuse(exchange, new Refusal(404, "There is nothing here."));
      } else if (name.equals("events")) {
        stream(exchange, run.get());
      } else {
        sendJson(
            exchange,
            Objects.requireNonNull(ANSWERS.get(name)).apply(new RunJson(run.get()), query));
      }
    } catch (IllegalArgumentException e) {
      refuse(exchange, new Refusal(400, "The question is malformed."));
    }
  }

  private ObjectNode cardsJson() {
    ObjectNode json = CardsJson.of(cards.cards());
    cards.problem().ifPresent(problem -> json.put("problem", problem));
    return json;
  }

  private void stream(HttpExchange exchange, WatchedRun run) throws IOException {
    if (!streams.enter()) {
      refuse(exchange, new Refusal(503, "There are streams enough; ask again and again instead."));
      return;
    }
    try {
      head(exchange, "text/event-stream");
      exchange.sendResponseHeaders(200, 0);
      streams.send(exchange.getResponseBody(), run, () -> lastAsked = System.nanoTime());
    } finally {
      streams.leave();
    }
  }

  private static void sendJson(HttpExchange exchange, ObjectNode json) throws IOException {
    send(
        exchange,
        200,
        "application/json",
        escaped(Json.line(json)).getBytes(StandardCharsets.UTF_8));
  }

  /** How long nobody has asked for anything, in seconds. */
  long idleSeconds() {
    return (System.nanoTime() - lastAsked) / 1_000_000_000L;
  }

  /** How many listen to streams. */
  int listening() {
    return streams.listening();
  }

  /** Ends all streams. */
  void close() {
    streams.close();
  }

  /** Without a character that would begin a tag, wherever the text is put. */
  static String escaped(String json) {
    return json.replace("<", "\\u003c");
  }

  private static List<String> all(Headers headers, String name) {
    List<String> values = headers.get(name);
    return values == null ? List.of() : values;
  }

  private static void refuse(HttpExchange exchange, Refusal refusal) throws IOException {
    send(
        exchange,
        refusal.status(),
        "text/plain; charset=utf-8",
        refusal.text().getBytes(StandardCharsets.UTF_8));
  }

  private static void head(HttpExchange exchange, String type) {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Content-Security-Policy", POLICY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    headers.set("Cache-Control", "no-store");
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] content)
      throws IOException {
    head(exchange, type);
    boolean headersAlone = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, headersAlone ? NO_BODY : content.length);
    if (headersAlone) {
      return;
    }
    exchange.getResponseBody().write(content);
  }
}
