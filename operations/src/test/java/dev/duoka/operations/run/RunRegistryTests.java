package dev.duoka.operations.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.operations.process.ProcessIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RunRegistryTests {
  @TempDir Path folder;

  @Test
  void runsAreFoundByNameAndFolder() throws IOException {
    RunRegistry registry = new RunRegistry(new StateFolder(folder.resolve("state")));
    Path run = Files.createDirectories(folder.resolve("a/demo"));
    registry.add(run, 0, Optional.of(ProcessIdentity.own()));
    registry.add(run, 0, Optional.of(ProcessIdentity.own())); // again: still one
    assertThat(registry.entries()).hasSize(1);
    assertThat(registry.find("demo").folder()).isEqualTo(run);
    assertThat(registry.find(run.toString()).name()).isEqualTo("demo");
    assertThat(RunStatus.of(registry.find("demo")).state()).isEqualTo(RunStatus.State.RUNNING);
    assertThatThrownBy(() -> registry.find("dem"))
        .hasMessageContaining(
            "there is no run 'dem'. The only one is 'demo'. './duoka runs' lists");
    Files.delete(run);
    assertThat(registry.entries()).isEmpty();
  }

  /** Cut short, empty, of another kind: nothing is lost, and what is whole is listed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{\"folder\": \"/tmp/x\", \"sta",
        "[]",
        "{\"folder\": \"\"}",
        "{\"folder\": \"runs/demo\"}",
        "{\"folder\": \"/tmp/\\u0000\"}",
        "{\"folder\": \"/tmp\", \"started\": \"yesterday\"}"
      })
  void aDamagedEntryIsNamedAndHidesNoOther(String text) throws IOException {
    StateFolder state = new StateFolder(folder.resolve("state"));
    RunRegistry registry = new RunRegistry(state);
    registry.add(Files.createDirectories(folder.resolve("demo")), 0, Optional.empty());
    assertThat(registry.damaged()).isEmpty();
    Path file = Files.writeString(state.runs().resolve("0123456789abcdef.json"), text);
    assertThat(registry.entries()).extracting(RunRegistry.Entry::name).containsExactly("demo");
    assertThat(registry.damaged()).containsExactly(file);
    assertThat(file).hasContent(text);
  }

  @Test
  void aProcessThatIsGoneIsNotTheOneThatHasItsNumber() throws IOException {
    ProcessIdentity own = ProcessIdentity.own();
    assertThat(own.isAlive()).isTrue();
    assertThat(new ProcessIdentity(own.pid(), own.startTicks() - 1, own.boot()).isAlive())
        .isFalse();
    assertThat(new ProcessIdentity(own.pid(), own.startTicks(), "before").isAlive()).isFalse();
    assertThat(ProcessIdentity.of(own.json())).isEqualTo(own);
  }

  @Test
  void aFolderThatOthersCanEnterIsRefused() throws IOException {
    Path open = Files.createDirectories(folder.resolve("state/runs"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    RunRegistry registry = new RunRegistry(new StateFolder(folder.resolve("state")));
    assertThatThrownBy(registry::entries).hasMessageContaining("of this user alone");
  }
}
