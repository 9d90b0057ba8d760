package dev.duoka.operations.watch;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
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

  private final RunJson run;
  private final AccessToken token;
  private final AllowedHosts hosts;
  private final PageFiles page = new PageFiles();

  WatchHandler(RunJson run, AccessToken token, AllowedHosts hosts) {
    this.run = run;
    this.token = token;
    this.hosts = hosts;
  }

  /** An answer of a few words. */
  private record Refusal(int status, String text) {}

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
    Optional<Function<WatchQuery, ObjectNode>> answer = answers(name);
    if (answer.isEmpty()) {
      refuse(exchange, new Refusal(404, "There is nothing here."));
      return;
    }
    String json;
    try {
      WatchQuery query = new WatchQuery(exchange.getRequestURI().getRawQuery());
      json = escaped(Json.line(answer.get().apply(query)));
    } catch (IllegalArgumentException e) {
      refuse(exchange, new Refusal(400, "The question is malformed."));
      return;
    }
    send(exchange, 200, "application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  private Optional<Function<WatchQuery, ObjectNode>> answers(String name) {
    return switch (name) {
      case "run" -> Optional.of(query -> run.overview());
      case "series" -> Optional.of(query -> run.series(query.all("name"), query.window()));
      case "heat" -> Optional.of(query -> run.heat(MetricsLine.GRADIENT_RMS, query.window()));
      case "heat-max" -> Optional.of(query -> run.heat(MetricsLine.GRADIENT_MAX, query.window()));
      default -> Optional.empty();
    };
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

  private static void send(HttpExchange exchange, int status, String type, byte[] content)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Content-Security-Policy", POLICY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    headers.set("Cache-Control", "no-store");
    boolean headersAlone = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, headersAlone ? NO_BODY : content.length);
    if (headersAlone) {
      return;
    }
    exchange.getResponseBody().write(content);
  }
}
