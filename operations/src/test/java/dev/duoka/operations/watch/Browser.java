package dev.duoka.operations.watch;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Debian's chromium without a window, driven by its DevTools protocol. Where it is, {@code
 * -Dduoka.test.chromium} says.
 */
final class Browser implements AutoCloseable {
  private static final Pattern LISTENS = Pattern.compile("DevTools listening on ws://([^/]+)/");

  private static final int ATTEMPTS = 50;

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final Path profile;
  private final String address;
  private final List<Tab> tabs = new ArrayList<>();

  Browser() throws IOException {
    profile = Files.createTempDirectory("chromium");
    process =
        new ProcessBuilder(
                System.getProperty("duoka.test.chromium", "/usr/bin/chromium"),
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    address = address(process);
  }

  private static String address(Process process) throws IOException {
    BufferedReader said =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
    StringBuilder all = new StringBuilder();
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      Matcher listens = LISTENS.matcher(line);
      if (listens.find()) {
        Thread.ofPlatform().daemon().start(() -> said.lines().forEach(_ -> {}));
        return listens.group(1);
      }
      all.append(line).append('\n');
    }
    throw new IOException("chromium did not start: " + all);
  }

  /** Opens a page. */
  Tab open(String page) throws IOException, InterruptedException {
    String blank = URLEncoder.encode("about:blank", StandardCharsets.UTF_8);
    String target =
        client
            .send(
                HttpRequest.newBuilder(URI.create("http://" + address + "/json/new?" + blank))
                    .PUT(HttpRequest.BodyPublishers.noBody())
                    .build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    Tab tab =
        new Tab(
            client,
            Json.parse(target.getBytes(StandardCharsets.UTF_8), "it", ErrorCode.FORMAT)
                .path("webSocketDebuggerUrl")
                .asString(""));
    tabs.add(tab);
    tab.call("Runtime.enable", Json.object());
    tab.call("Log.enable", Json.object());
    tab.call("Page.navigate", Json.object().put("url", page));
    return tab;
  }

  @Override
  public void close() throws IOException {
    tabs.forEach(Tab::close);
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    client.close();
    children.forEach(ProcessHandle::destroyForcibly);
    children.forEach(child -> child.onExit().orTimeout(10, TimeUnit.SECONDS).join());
    deleteProfile();
  }

  /** What a process has written that was just ended may still come. */
  private void deleteProfile() throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        CrashSafeFiles.deleteTree(profile);
        return;
      } catch (DirectoryNotEmptyException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** A page that is open. */
  static final class Tab implements WebSocket.Listener {
    private static final long PATIENCE_SECONDS = 60;

    private final WebSocket socket;
    private final AtomicInteger calls = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private final StringBuilder message = new StringBuilder();

    Tab(HttpClient client, String address) {
      socket = client.newWebSocketBuilder().buildAsync(URI.create(address), this).join();
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
      message.append(part);
      if (last) {
        hear(
            Json.parse(
                message.toString().getBytes(StandardCharsets.UTF_8), "it", ErrorCode.FORMAT));
        message.setLength(0);
      }
      from.request(1);
      return CompletableFuture.completedStage(null);
    }

    private void hear(JsonNode said) {
      CompletableFuture<JsonNode> answer = answers.remove(said.path("id").asInt(-1));
      if (answer != null) {
        answer.complete(said.path("result"));
        return;
      }
      String method = said.path("method").asString("");
      boolean error = said.path("params").path("entry").path("level").asString("").equals("error");
      if (method.equals("Runtime.exceptionThrown") || (method.equals("Log.entryAdded") && error)) {
        complaints.add(said.path("params").toString());
      }
    }

    JsonNode call(String method, ObjectNode parameters) {
      int id = calls.incrementAndGet();
      CompletableFuture<JsonNode> answer = new CompletableFuture<>();
      answers.put(id, answer);
      ObjectNode call = Json.object();
      call.put("id", id);
      call.put("method", method);
      call.set("params", parameters);
      socket.sendText(Json.line(call), true).join();
      return answer.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    }

    /** The value of an expression. */
    String value(String expression) {
      ObjectNode parameters = Json.object();
      parameters.put("expression", "String(" + expression + ")");
      parameters.put("awaitPromise", true);
      return call("Runtime.evaluate", parameters).path("result").path("value").asString("");
    }

    /** Waits until an expression is true. */
    void until(String condition) throws InterruptedException {
      long end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
      while (!value(condition).equals("true")) {
        if (System.nanoTime() - end > 0) {
          throw new AssertionError(
              condition + " does not come; " + complaints + value("document.body.innerText"));
        }
        Thread.sleep(100);
      }
    }

    /** What went wrong in it: exceptions, and what its policy or the server has refused. */
    List<String> complaints() {
      return complaints;
    }

    void close() {
      socket.abort();
    }
  }
}
