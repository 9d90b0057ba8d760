package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

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

  /** Texts are formats; one that is wrong is shown with a warning of the library before it. */
  @Test
  void textsAreFormats() {
    List<CommandSpec> specs = new ArrayList<>(List.of(Main.commandLine().getCommandSpec()));
    for (int next = 0; next < specs.size(); next++) {
      CommandSpec spec = specs.get(next);
      spec.subcommands().values().forEach(command -> specs.add(command.getCommandSpec()));
      Stream.of(
              Stream.of(spec.usageMessage().description()),
              spec.args().stream().flatMap(argument -> Stream.of(argument.description())))
          .flatMap(texts -> texts)
          .forEach(
              text ->
                  assertThatCode(() -> String.format(Locale.ROOT, text))
                      .as("%s: %s", spec.qualifiedName(), text)
                      .doesNotThrowAnyException());
    }
    assertThat(specs).hasSizeGreaterThan(30);
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
