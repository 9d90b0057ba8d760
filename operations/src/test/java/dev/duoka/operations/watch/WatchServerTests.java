package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class WatchServerTests {
  private static final String SERIES = "/api/series?name=loss&from=1&to=3&columns=10";

  @TempDir Path folder;
  @TempDir Path elsewhere;
  private WatchServer server;
  private String token = "";

  @BeforeEach
  void serve() throws IOException {
    RunFolders.write(folder);
    Files.writeString(folder.resolve("run.log"), "said </script><script>x</script>\n");
    server = start(Set.of());
  }

  private WatchServer start(Set<String> hosts) {
    WatchedRuns runs = RunFolders.runs(folder, elsewhere.resolve("state"));
    runs.find(Optional.empty()).orElseThrow().readAll();
    WatchServer started = WatchServer.start(runs, OptionalInt.of(0), hosts);
    token = started.address().replaceFirst(".*#token=", "");
    return started;
  }

  @AfterEach
  void close() {
    server.close();
  }

  /** What is answered to a request as it is written here, with the server's own name added. */
  private String ask(String path, String... headers) throws IOException {
    return send("GET " + path, "localhost:" + server.port(), headers);
  }

  private String send(String start, String host, String... headers) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      String request = start + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n";
      String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
      socket.getOutputStream().write((request + more + "\r\n").getBytes(StandardCharsets.UTF_8));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private String authorization() {
    return "Authorization: Bearer " + token;
  }

  @Test
  void whoHasTheTokenSeesTheRun() throws IOException {
    assertThat(ask("/api/run", authorization()))
        .startsWith("HTTP/1.1 200")
        .contains("\"last_step\":3", "\"loss\":4.5");
    assertThat(ask(SERIES, authorization()))
        .contains("{\"loss\":{\"steps\":[1,3],\"values\":[5.5,4.5],\"not_a_number\":[2]}}");
    assertThat(ask("/api/heat?from=1&to=3&columns=3", authorization()))
        .contains("\"layers\":[\"model.layers.0\",\"lm_head\"],\"rows\":[[2,0.5],[2,-1.0]]");
  }

  @Test
  void thePageItselfHoldsNothingAndRunsNothingOfOthers() throws IOException {
    for (String path : new String[] {"/", "/watch.js", "/watch.css", "/uPlot.iife.min.js"}) {
      String answer = ask(path);
      assertThat(answer)
          .startsWith("HTTP/1.1 200")
          .containsIgnoringCase("Content-Security-Policy: default-src 'none'; script-src 'self'")
          .containsIgnoringCase("X-Content-Type-Options: nosniff")
          .containsIgnoringCase("Referrer-Policy: no-referrer")
          .containsIgnoringCase("Cache-Control: no-store")
          .doesNotContain("unsafe-inline", token, folder.toString());
    }
    assertThat(ask("/")).doesNotContainPattern("<script(?! src=)| on[a-z]+=|<style| style=");
  }

  @Test
  void noOrAWrongTokenIsToldNothing() throws IOException {
    String wrong = (token.startsWith("A") ? "B" : "A") + token.substring(1);
    for (String header :
        new String[] {
          "X: y",
          "Authorization: Bearer " + wrong,
          "Authorization: Bearer ",
          "Authorization: Bearer " + token + "x",
          "Authorization: " + token,
          "Authorization: Basic " + token,
          "Cookie: token=" + token,
          authorization() + "\r\n" + authorization()
        }) {
      for (String path : new String[] {"/api/run", SERIES, "/api/nothing"}) {
        assertThat(ask(path, header)).startsWith("HTTP/1.1 401").doesNotContain("loss");
      }
    }
    assertThat(ask("/api/run?token=" + token)).startsWith("HTTP/1.1 401");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.org",
        "localhost.example.org",
        "127.0.0.1.example.org:7470",
        "127.0.0.2",
        "0.0.0.0",
        "localhost@example.org",
        "localhost:80:80",
        ""
      })
  void otherNamesAreNotServed(String host) throws IOException {
    assertThat(send("GET /api/run", host, authorization()))
        .startsWith("HTTP/1.1 4")
        .doesNotContain("loss");
    assertThat(send("GET /", host)).startsWith("HTTP/1.1 4").doesNotContain("<script");
  }

  @Test
  void namesOfThisMachineAreServedOnAnyPort() throws IOException {
    for (String host : new String[] {"localhost:1234", "127.0.0.1", "[::1]:8888", "LOCALHOST"}) {
      assertThat(send("GET /api/run", host, authorization())).startsWith("HTTP/1.1 200");
    }
    server.close();
    server = start(Set.of("Proxy.example.org"));
    assertThat(send("GET /api/run", "proxy.example.org:443", authorization()))
        .startsWith("HTTP/1.1 200");
  }

  @Test
  void pagesOfOthersMayNotAsk() throws IOException {
    for (String origin :
        new String[] {"https://example.org", "null", "http://localhost.example.org", "file://"}) {
      assertThat(ask("/api/run", authorization(), "Origin: " + origin))
          .startsWith("HTTP/1.1 403")
          .doesNotContain("loss", "Access-Control");
    }
    assertThat(ask("/api/run", authorization(), "Origin: http://localhost:9"))
        .startsWith("HTTP/1.1 200");
  }

  @Test
  void nothingCanBeChanged() throws IOException {
    for (String method : new String[] {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}) {
      assertThat(send(method + " /api/run", "localhost", authorization(), "Content-Length: 0"))
          .startsWith("HTTP/1.1 405");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/metrics.jsonl",
        "/WatchServer.class",
        "/module-info.class",
        "//etc/passwd",
        "/api/../watch.js",
        "/./watch.js",
        "/%77atch.js",
        "/api/run/",
        "/api/%2e%2e/run"
      })
  void noOtherPathLeadsAnywhere(String path) throws IOException {
    assertThat(ask(path, authorization()))
        .startsWith("HTTP/1.1 404")
        .endsWith("There is nothing here.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "from=1&to=3",
        "from=3&to=1&columns=5",
        "from=1&to=3&columns=0",
        "from=x&to=3&columns=5",
        "from=-1&to=3&columns=5",
        "from=1&to=3&columns=99999999",
        "from=1&to=3&columns=5&%zz=1",
        "from=1&from=1&to=3&columns=5",
        "from=1&to=99999999999999999999&columns=5",
        "from"
      })
  void malformedQuestionsAreRefused(String query) throws IOException {
    assertThat(ask("/api/series?" + query, authorization())).startsWith("HTTP/1.1 400");
  }

  @ParameterizedTest
  @ValueSource(strings = {"foo:bar", "*", "http:", "nothing", "/%zz", "/a b"})
  void targetsThatAreNoPathsLeadNowhere(String target) throws IOException {
    assertThat(ask(target, authorization())).doesNotStartWith("HTTP/1.1 200");
    assertThat(ask("/api/run", authorization())).startsWith("HTTP/1.1 200");
  }

  @Test
  void theWidestWindowIsAnswered() throws IOException {
    assertThat(
            ask(
                "/api/series?name=loss&from=0&to=" + Long.MAX_VALUE + "&columns=4096",
                authorization()))
        .startsWith("HTTP/1.1 200")
        .contains("5.5", "[2]");
    assertThat(ask("/api/heat?from=0&to=" + Long.MAX_VALUE + "&columns=1", authorization()))
        .startsWith("HTTP/1.1 200");
  }

  @Test
  void textOfTheRunBeginsNoTag() throws IOException {
    assertThat(ask("/api/run", authorization()))
        .contains("\\u003c/script>")
        .doesNotContain("</script");
  }

  @Test
  void linksOutOfTheFolderAreNotFollowed() throws IOException {
    Path secret = Files.writeString(elsewhere.resolve("other.log"), "planted\n");
    for (String name : new String[] {"run.log", "metrics.jsonl"}) {
      Files.delete(folder.resolve(name));
    }
    Files.createSymbolicLink(folder.resolve("run.log"), Path.of("/etc/passwd"));
    Files.createSymbolicLink(folder.resolve("metrics.jsonl"), secret);
    Files.createSymbolicLink(folder.resolve("supervision"), elsewhere);
    Files.createSymbolicLink(folder.resolve("notes.md"), secret);
    Files.createSymbolicLink(folder.resolve("prediction.json"), secret);
    Files.createSymbolicLink(folder.resolve("placement.json"), secret);
    Files.createSymbolicLink(folder.resolve("checkpoints"), elsewhere);
    Files.createSymbolicLink(folder.resolve("run.yaml"), secret);
    server.close();
    server = start(Set.of());
    assertThat(ask("/api/run", authorization()))
        .startsWith("HTTP/1.1 200")
        .contains("run.log: it is a link that leads out", "metrics.jsonl: it is a link")
        .contains("notes.md: it is a link", "prediction.json: it is a link")
        .doesNotContain("root:", "planted");
    assertThat(ask("/api/config", authorization())).endsWith("{}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run.log",
        "metrics.jsonl",
        "answers.jsonl",
        "notes.md",
        "placement.json",
        "prediction.json",
        "rank-0.heartbeat",
        "supervision/record.jsonl",
        "supervision/attempt-1/worker-0/stderr.log",
        "supervision/attempt-1/worker-0/process.json"
      })
  void pipesAreNotOpened(String name) throws IOException, InterruptedException {
    Path pipe = folder.resolve(name);
    Files.createDirectories(pipe.getParent());
    Files.deleteIfExists(pipe);
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    server.close();
    server = start(Set.of());
    assertThat(ask("/api/run", authorization()))
        .startsWith("HTTP/1.1 200")
        .contains(pipe.getFileName() + ": it is a pipe");
  }

  @Test
  void theAddressIsInAFileOfThisUserAlone() throws IOException {
    Path path;
    try (AddressFile file = AddressFile.write(new StateFolder(elsewhere), server)) {
      path = file.path();
      assertThat(path).content().isEqualTo(server.address() + "\n");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rw-------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent())))
          .isEqualTo("rwx------");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void theRunsOfTheListAreShownByTheirNumber() throws IOException {
    Path other = Files.createDirectories(elsewhere.resolve("other run"));
    Files.writeString(other.resolve("metrics.jsonl"), "{\"step\":9,\"loss\":1.5}\n");
    Files.writeString(
        other.resolve("run.yaml"),
        """
        training:
          steps: 9
        environment:
          HF_HOME: planted
          NCCL_DEBUG: INFO
        notify:
          command: planted
        """);
    new RunRegistry(new StateFolder(elsewhere.resolve("state"))).add(other, 0, Optional.empty());
    String id = RunRegistry.idOf(other);
    assertThat(ask("/api/runs", authorization()))
        .contains("\"name\":\"other run\"", id, RunRegistry.idOf(folder))
        .doesNotContain(elsewhere.toString());
    assertThat(ask("/api/runs")).startsWith("HTTP/1.1 401");
    assertThat(ask("/api/run?run=" + id, authorization())).contains("\"name\":\"other run\"");
    assertThat(ask("/api/config?run=" + id, authorization()))
        .contains("\"training.steps\":\"9\"", "\"environment.NCCL_DEBUG\":\"INFO\"")
        .doesNotContain("planted");
    for (String wrong : new String[] {"0000000000000000", "..", "%2e%2e%2f", other.toString()}) {
      assertThat(ask("/api/run?run=" + wrong.replace(" ", "%20"), authorization()))
          .startsWith("HTTP/1.1 404");
    }
    assertThat(ask("/api/run?run=" + id + "&run=" + id, authorization()))
        .startsWith("HTTP/1.1 400");
  }

  /** A stream that is open, of which the first event was read. */
  private Socket stream() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    String request = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n" + authorization();
    socket.getOutputStream().write((request + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
    readUntil(socket, "\n\n");
    return socket;
  }

  /** Reads until a text has come; all that has. */
  private static String readUntil(Socket socket, String text) throws IOException {
    StringBuilder read = new StringBuilder();
    while (read.indexOf(text) < 0) {
      int next = socket.getInputStream().read();
      if (next < 0) {
        break;
      }
      read.append((char) next);
    }
    return read.toString();
  }

  @Test
  void eightTabsHearWhatIsNew() throws IOException {
    List<Socket> tabs = new ArrayList<>();
    try {
      for (int i = 0; i < 8; i++) {
        tabs.add(stream());
      }
      Files.writeString(
          folder.resolve("metrics.jsonl"),
          "{\"step\":4,\"loss\":0.125}\n",
          StandardOpenOption.APPEND);
      for (Socket tab : tabs) {
        assertThat(readUntil(tab, "\"last_step\":4")).contains("\"loss\":0.125");
      }
      assertThat(ask("/api/run", authorization())).startsWith("HTTP/1.1 200");
    } finally {
      for (Socket tab : tabs) {
        tab.close();
      }
    }
  }

  @Test
  void thereAreNoMoreStreamsThanPlaces() throws IOException {
    List<Socket> streams = new ArrayList<>();
    try {
      for (int i = 0; i < EventStreams.MOST; i++) {
        streams.add(stream());
      }
      assertThat(ask("/api/events", authorization())).startsWith("HTTP/1.1 503");
      assertThat(ask("/api/run", authorization())).startsWith("HTTP/1.1 200");
    } finally {
      for (Socket stream : streams) {
        stream.close();
      }
    }
    assertThat(ask("/api/events")).startsWith("HTTP/1.1 401");
  }

  @Test
  void whatWasPredictedStandsBesideWhatIsMeasured() throws IOException {
    PredictionFile.write(
        folder.resolve(PredictionFile.NAME),
        new Prediction(
            List.of(Map.of("weights", 1000L)),
            List.of(new PredictedDevice("cpu", List.of(0), Map.of("process", 5L))),
            Optional.empty(),
            "a <probe> would take long"));
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        "{\"step\":4,\"rank_memory\":[{\"weights\":1000,\"driver_bytes\":1610613741}]}\n",
        StandardOpenOption.APPEND);
    server.close();
    server = start(Set.of());
    assertThat(ask("/api/run", authorization()))
        .contains("{\"rank\":0,\"owner\":\"weights\",\"predicted\":1000.0,\"measured\":1000.0}")
        .contains("a \\u003cprobe>", "1.50 GiB on cpu are known to no ledger");
  }

  @Test
  void whyARunHasDiedIsShown() throws IOException {
    RunRegistry registry = new RunRegistry(new StateFolder(elsewhere.resolve("state")));
    registry.add(folder, 0, Optional.of(new ProcessIdentity(1, 1, "an earlier boot")));
    WatchedRuns runs = WatchedRuns.of(registry, registry.find(folder.toString()));
    server.close();
    server = WatchServer.start(runs, OptionalInt.of(0), Set.of());
    token = server.address().replaceFirst(".*#token=", "");
    WatchedRun run = runs.find(Optional.empty()).orElseThrow();
    run.look();
    assertThat(ask("/api/run", authorization()))
        .contains("\"state\":\"lost\"", "its process is gone and has not said why");
    Files.writeString(
        folder.resolve("run.log"), "2026-01-01T00:00:00Z failed: step 4 gave a loss of NaN\n");
    // The server looks, too: a look that began before the line was there may end after ours.
    String said = "";
    for (int looks = 0; looks < 100 && !said.contains("\"reason\":\"step 4"); looks++) {
      run.look();
      said = ask("/api/run", authorization());
    }
    assertThat(said).contains("\"reason\":\"step 4 gave a loss of NaN\"");
  }

  @Test
  void eachServerHasATokenOfItsOwn() {
    String first = token;
    server.close();
    server = start(Set.of());
    assertThat(token).hasSize(43).isNotEqualTo(first);
  }
}
