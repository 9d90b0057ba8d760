package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PrometheusTests {
  @TempDir Path folder;
  @TempDir Path state;
  private WatchedRuns runs;

  @BeforeEach
  void read() throws IOException {
    RunFolders.write(folder);
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        "{\"step\":4,\"loss\":4,\"tokens\":64,\"samples_per_second\":8,\"seconds\":{\"total\":0.5}}\n",
        StandardOpenOption.APPEND);
    runs = RunFolders.runs(folder, state.resolve("runs of this user"));
    runs.find(Optional.empty()).orElseThrow().readAll();
  }

  private static HttpResponse<String> ask(int port, String path, String token)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
              .header("Authorization", "Bearer " + token)
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void whoHasTheTokenReadsTheMetrics() throws Exception {
    StateFolder own = new StateFolder(state.resolve("state"));
    String kept;
    try (PrometheusServer server = PrometheusServer.start(runs, own, WatchServer.LOOPBACK, 0)) {
      kept = Files.readString(server.tokenFile()).strip();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(server.tokenFile())))
          .isEqualTo("rw-------");
      HttpResponse<String> answer = ask(server.port(), "/metrics", kept);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Type").orElse(""))
          .startsWith("text/plain; version=0.0.4");
      assertThat(answer.body()).contains("duoka_step_seconds_count{");
      assertThat(ask(server.port(), "/metrics", "x" + kept).statusCode()).isEqualTo(401);
      assertThat(ask(server.port(), "/", kept).statusCode()).isEqualTo(404);
      assertThat(ask(server.port(), "/metrics", "").body()).isEmpty();
    }
    try (PrometheusServer again = PrometheusServer.start(runs, own, WatchServer.LOOPBACK, 0)) {
      assertThat(Files.readString(again.tokenFile()).strip()).isEqualTo(kept);
    }
  }

  @Test
  void metricsAreInTheFormOfPrometheus() {
    String text = PrometheusText.of(runs.find(Optional.empty()).orElseThrow());
    String name = "run=\"" + folder.getFileName() + "\"";
    assertThat(text.lines())
        .allMatch(
            line ->
                line.matches("# (HELP|TYPE) duoka_[a-z_]+ .+")
                    || line.matches("duoka_[a-z_]+\\{run=\"[^\"]+\"(,[a-z]+=\"[^\"]*\")*\\} \\S+"))
        .contains(
            "duoka_loss{" + name + "} 4",
            "duoka_tokens_total{" + name + "} 256",
            "duoka_samples_total{" + name + "} 16",
            "duoka_step_seconds_bucket{" + name + ",le=\"0.25\"} 1",
            "duoka_step_seconds_bucket{" + name + ",le=\"0.5\"} 3",
            "duoka_step_seconds_bucket{" + name + ",le=\"+Inf\"} 3",
            "duoka_step_seconds_sum{" + name + "} 1.25",
            "duoka_exposed_seconds{" + name + ",group=\"data\"} 0.01",
            "# TYPE duoka_tokens_total counter");
    assertThat(text).doesNotContain("NaN");
  }
}
