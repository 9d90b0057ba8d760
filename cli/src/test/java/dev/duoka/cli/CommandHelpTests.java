package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Each command that starts, shows or ends runs says how, to people and to programs. */
final class CommandHelpTests {
  static Stream<String> commands() {
    return Stream.of("train", "runs", "stop", "attach", "logs", "container", "preview", "ladder");
  }

  static Stream<String> snapshotCommands() {
    return Stream.of("list", "show", "diff", "rollback");
  }

  @ParameterizedTest
  @MethodSource("commands")
  void helpHasAnExampleAndProgramsGetJson(String name) {
    CommandLine command = Main.commandLine().getSubcommands().get(name);
    assertThat(command).isNotNull();
    assertThat(command.getCommandSpec().findOption("--json")).as("--json").isNotNull();
    assertThat(command.getUsageMessage(CommandLine.Help.Ansi.OFF))
        .contains("Example: duoka " + name);
  }

  @ParameterizedTest
  @MethodSource("snapshotCommands")
  void eachCommandOfSnapshotHasAnExampleAndJson(String name) {
    CommandLine group = Objects.requireNonNull(Main.commandLine().getSubcommands().get("snapshot"));
    CommandLine command = Objects.requireNonNull(group.getSubcommands().get(name));
    assertThat(command.getCommandSpec().findOption("--json")).as("--json").isNotNull();
    assertThat(command.getUsageMessage(CommandLine.Help.Ansi.OFF))
        .contains("Example: duoka snapshot " + name);
  }

  @Test
  void thePageForNewcomersNamesEachCommand() throws IOException {
    String page = Files.readString(Path.of(System.getProperty("duoka.repository"), "README.md"));
    Main.commandLine()
        .getSubcommands()
        .keySet()
        .forEach(
            name -> {
              if (!name.equals("help")) {
                assertThat(page).contains("`./duoka " + name);
              }
            });
  }
}
