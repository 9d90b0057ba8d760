package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
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

  @Test
  void oneProcessServesAllRunsAndOneThatDiedIsReplaced() throws Exception {
    RunPage first = RunPage.of(run, state);
    assertThat(ask(first)).contains("\"name\":\"run\"", "\"state\":\"running\"");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first.file())))
        .isEqualTo("rw-------");
    ProcessIdentity process = serving();
    Path other = Files.createDirectories(temporary.resolve("other"));
    RunFolders.write(other);
    new RunRegistry(state).add(other, 0, Optional.empty());
    RunPage second = RunPage.of(other, state);
    assertThat(second.port()).isEqualTo(first.port());
    assertThat(ask(second)).contains("\"name\":\"other\"");
    process.kill();
    while (process.isAlive()) {
      Thread.sleep(20);
    }
    RunPage third = RunPage.of(run, state);
    assertThat(serving()).isNotEqualTo(process);
    assertThat(third.address()).isNotEqualTo(first.address());
    assertThat(ask(third)).contains("\"name\":\"run\"");
  }
}
