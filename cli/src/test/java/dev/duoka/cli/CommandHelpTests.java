package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Each command that starts, shows or ends runs says how, to people and to programs. */
final class CommandHelpTests {
  /** What prints nothing that a program could take as one document. */
  private static final Map<String, String> WITHOUT_JSON =
      Map.of(
          "duoka", "has commands that do the work",
          "duoka bench", "has commands that do the work",
          "duoka snapshot", "has commands that do the work",
          "duoka chat", "is a conversation",
          "duoka watch", "serves a page; its address is in a file for programs");

  /** Every command and every command of a command. */
  static Stream<CommandSpec> commands() {
    List<CommandSpec> specs = new ArrayList<>(List.of(Main.commandLine().getCommandSpec()));
    for (int next = 0; next < specs.size(); next++) {
      specs.get(next).subcommands().values().stream()
          .map(CommandLine::getCommandSpec)
          .filter(spec -> !spec.name().equals("help"))
          .forEach(specs::add);
    }
    assertThat(specs).hasSizeGreaterThan(30);
    return specs.stream();
  }

  @Test
  void programsGetJsonOfEachThatPrints() {
    List<String> without =
        commands()
            .filter(spec -> spec.findOption("--json") == null)
            .map(CommandSpec::qualifiedName)
            .toList();
    assertThat(without).containsExactlyInAnyOrderElementsOf(WITHOUT_JSON.keySet());
  }

  @Test
  void eachSaysWhatItDoesAndShowsAnExample() {
    List<String> without = new ArrayList<>();
    commands()
        .filter(spec -> spec.subcommands().isEmpty())
        .forEach(
            spec -> {
              assertThat(spec.usageMessage().description())
                  .as(spec.qualifiedName())
                  .isNotEmpty()
                  .allSatisfy(text -> assertThat(text).isNotBlank());
              String help = spec.commandLine().getUsageMessage(CommandLine.Help.Ansi.OFF);
              if (!help.contains("Example: " + spec.qualifiedName())) {
                without.add(spec.qualifiedName());
              }
            });
    assertThat(without).as("commands without an example").isEmpty();
  }

  /** Texts are formats; one that is wrong is shown with a warning of the library before it. */
  @Test
  void textsAreFormats() {
    commands()
        .forEach(
            spec ->
                Stream.of(
                        Stream.of(spec.usageMessage().description()),
                        spec.args().stream().flatMap(argument -> Stream.of(argument.description())))
                    .flatMap(texts -> texts)
                    .forEach(
                        text ->
                            assertThatCode(() -> String.format(Locale.ROOT, text))
                                .as("%s: %s", spec.qualifiedName(), text)
                                .doesNotThrowAnyException()));
  }

  /** In the table of commands, in each language; of a group's commands the name is enough. */
  @ParameterizedTest
  @ValueSource(strings = {"README.md", "README.zh-CN.md"})
  void thePageForNewcomersNamesEachCommand(String name) throws IOException {
    List<String> table =
        Files.readAllLines(Path.of(System.getProperty("duoka.repository"), name)).stream()
            .filter(line -> line.startsWith("| `./duoka "))
            .toList();
    List<String> missing = new ArrayList<>();
    commands()
        .filter(spec -> spec.subcommands().isEmpty())
        .forEach(
            spec -> {
              CommandSpec parent = Objects.requireNonNull(spec.parent()).root();
              String full = "`./" + spec.qualifiedName();
              String group = "`./" + Objects.requireNonNull(spec.parent()).qualifiedName() + " ";
              boolean named =
                  table.stream()
                      .anyMatch(
                          line ->
                              line.contains(full + "`")
                                  || line.contains(full + " ")
                                  || (spec.parent() != parent
                                      && line.contains(group)
                                      && line.contains("`" + spec.name())));
              if (!named) {
                missing.add(spec.qualifiedName());
              }
            });
    assertThat(missing).as("commands that the table of %s does not name", name).isEmpty();
  }
}
