package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The process that serves the pages of a user's runs. */
@Timeout(120)
final class RunPageTests {
  @TempDir Path temporary;
  private StateFolder state;
  private Path run;

  @BeforeEach
  void writeRun() throws IOException {
    state = new StateFolder(temporary.resolve("state"));
    run = Files.createDirectories(temporary.resolve("run"));
    RunFolders.write(run);
    new RunRegistry(state).add(run, 0, Optional.of(ProcessIdentity.own()));
  }

  @AfterEach
  void end() {
    serving().kill();
  }

  private ProcessIdentity serving() {
    return ProcessIdentity.of(Json.parse(WatchMain.identity(state), ErrorCode.FORMAT));
  }

  private static String ask(RunPage page) throws IOException, InterruptedException {
    String[] parts = page.address().split("#token=|&run=");
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(parts[0] + "api/run?run=" + parts[2]))
                  .header("Authorization", "Bearer " + parts[1])
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }

  /** How the page is answered under a name, at an address of this machine. */
  private static int status(RunPage page, String address, String host) throws IOException {
    try (Socket socket = new Socket(address, page.port())) {
      String token = page.address().split("#token=|&run=")[1];
      socket
          .getOutputStream()
          .write(
              ("GET /api/runs HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n")
                  .getBytes(StandardCharsets.UTF_8));
      socket
          .getOutputStream()
          .write(("Authorization: Bearer " + token + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return Integer.parseInt(answer.split(" ")[1]);
    }
  }

  /** Linux has all of 127/8 for itself: 127.0.0.2 stands for an address that others can reach. */
  @Test
  void morePlacesAreAllowedWhileItServesAndNoneAfterIt() throws Exception {
    RunPage first = RunPage.of(run, state, PageAccess.LOOPBACK);
    String proxy = "hub.example.org";
    assertThat(status(first, "127.0.0.1", proxy)).isEqualTo(421);
    assertThatIOException().isThrownBy(() -> status(first, "127.0.0.2", "127.0.0.2"));
    RunPage second =
        RunPage.of(run, state, new PageAccess(Set.of("Hub.example.org"), Set.of("127.0.0.2")));
    assertThat(second).as("the token is as before").isEqualTo(first);
    assertThat(status(first, "127.0.0.1", proxy)).isEqualTo(200);
    assertThat(status(first, "127.0.0.2", "127.0.0.2:" + first.port())).isEqualTo(200);
    assertThat(status(first, "127.0.0.2", "else.example.org")).isEqualTo(421);
    assertThatThrownBy(() -> RunPage.of(run, state, new PageAccess(Set.of(), Set.of("192.0.2.7"))))
        .hasMessageContaining("192.0.2.7")
        .hasMessageContaining("--bind");
    assertThat(RunPage.of(run, state, PageAccess.LOOPBACK)).isEqualTo(first);
    RunPage.of(run, state, new PageAccess(Set.of(), Set.of("0.0.0.0")));
    RunPage.of(run, state, new PageAccess(Set.of(), Set.of("127.0.0.1", "127.0.0.4")));
    assertThat(status(first, "127.0.0.3", "localhost")).isEqualTo(200);
    ProcessIdentity process = serving();
    process.kill();
    while (process.isAlive()) {
      Thread.sleep(20);
    }
    RunPage third = RunPage.of(run, state, PageAccess.LOOPBACK);
    assertThat(status(third, "127.0.0.1", proxy)).isEqualTo(421);
    assertThatIOException().isThrownBy(() -> status(third, "127.0.0.2", "127.0.0.2"));
  }

  @Test
  void oneProcessServesAllRunsAndOneThatDiedIsReplaced() throws Exception {
    RunPage first = RunPage.of(run, state, PageAccess.LOOPBACK);
    assertThat(ask(first)).contains("\"name\":\"run\"", "\"state\":\"running\"");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first.file())))
        .isEqualTo("rw-------");
    ProcessIdentity process = serving();
    Path other = Files.createDirectories(temporary.resolve("other"));
    RunFolders.write(other);
    new RunRegistry(state).add(other, 0, Optional.empty());
    RunPage second = RunPage.of(other, state, PageAccess.LOOPBACK);
    assertThat(second.port()).isEqualTo(first.port());
    assertThat(ask(second)).contains("\"name\":\"other\"");
    process.kill();
    while (process.isAlive()) {
      Thread.sleep(20);
    }
    RunPage third = RunPage.of(run, state, PageAccess.LOOPBACK);
    assertThat(serving()).isNotEqualTo(process);
    assertThat(third.address()).isNotEqualTo(first.address());
    assertThat(ask(third)).contains("\"name\":\"run\"");
  }
}
