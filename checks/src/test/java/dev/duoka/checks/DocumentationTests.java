package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What the pages name exists: commands, options, files, classes with their members. */
final class DocumentationTests {
  /** All commands with their options; to put them together takes longer than to read a page. */
  private static final CommandLine PROGRAM = Main.commandLine();

  private static final Pattern CALL = Pattern.compile("(?:^|[\\s(])\\.?/?duoka((?: [^|&;#]+)?)");
  private static final Pattern OPTION = Pattern.compile("(?<=\\s|^)--[a-z][a-z-]*");

  /** Words of a path of this repository; placeholders such as {@code <name>} are not among them. */
  private static final Pattern PATH = Pattern.compile("(?:\\./)?[\\w.-]+(?:/[\\w.-]+)*/?");

  private static final Pattern SOURCE_FILE = Pattern.compile(".*/.*\\.(md|java|yaml|xml|sh|cu)");

  /** Folders that exist only after a build or a run. */
  private static final Set<String> NOT_CHECKED_IN = Set.of("runs", "target");

  /** Options of the JVM and of Maven that pages may explain. */
  private static final Set<String> OPTIONS_OF_OTHERS =
      Set.of("--enable-native-access", "--illegal-native-access", "--describe-module", "--check");

  /** A class, perhaps with a member, perhaps with what it is called with. */
  private static final Pattern CLASS =
      Pattern.compile("([A-Z][a-z0-9]\\w*|[A-Z]+[a-z]\\w*)(?:\\.(\\w+))?(?:\\(.*\\))?");

  /** What looks like a class of ours: names of Java and of PyTorch, and how names of tests end. */
  private static final Set<String> NO_CLASSES_OF_OURS = Set.of("Arena", "Scalar", "Tests");

  static Stream<Path> pages() throws IOException {
    return Documents.pages().stream();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void namedCommandsAndOptionsExist(Path page) {
    List<String> missing = new ArrayList<>();
    for (String code : Documents.code(Repository.read(page))) {
      missing.addAll(missing(code));
    }
    assertThat(missing).as(page.toString()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void namedPathsExist(Path page) {
    String text = Repository.read(page);
    assertThat(Documents.inlineCode(text))
        .as(page.toString())
        .filteredOn(DocumentationTests::namesAPath)
        .allSatisfy(path -> assertThat(Repository.root().resolve(path)).exists());
    assertThat(Documents.links(text))
        .as(page.toString())
        .allSatisfy(link -> assertThat(page.resolveSibling(link)).exists());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ARCHITECTURE.md", "CONTRIBUTING.md"})
  void namedClassesAndMembersExist(String page) {
    Map<String, Path> sources = Repository.sources();
    assertThat(Documents.inlineCode(Repository.read(Repository.root().resolve(page))))
        .filteredOn(code -> CLASS.matcher(code).matches())
        .filteredOn(code -> !NO_CLASSES_OF_OURS.contains(code))
        .allMatch(code -> isInSources(code, sources));
  }

  @Test
  void wrongClassesAndMembersAreFound() {
    Map<String, Path> sources = Repository.sources();
    assertThat(isInSources("Repository", sources)).isTrue();
    assertThat(isInSources("Repository.sources", sources)).isTrue();
    assertThat(isInSources("Repository.springs", sources)).isFalse();
    assertThat(isInSources("Repositories", sources)).isFalse();
    assertThat(CLASS.matcher("ONE_NAME").matches()).isFalse();
  }

  private static boolean isInSources(String code, Map<String, Path> sources) {
    Matcher name = CLASS.matcher(code);
    if (!name.matches()) {
      return false;
    }
    Path source = sources.get(name.group(1));
    String member = name.group(2);
    return source != null
        && (member == null
            || Pattern.compile("\\b" + member + "\\b").matcher(Repository.read(source)).find());
  }

  @Test
  void wrongCommandsAndOptionsAreFound() {
    assertThat(missing("./duoka config run.yaml --set a=b  # --nothing")).isEmpty();
    assertThat(missing("DUOKA_JAVA_OPTIONS=-Xmx8g ./duoka bundle --output x.tar.xz")).isEmpty();
    assertThat(missing("./duoka cofnig")).containsExactly("command cofnig");
    assertThat(missing("./duoka config --sett a=b")).containsExactly("config --sett");
    assertThat(missing("--sett a=b")).containsExactly("--sett");
    assertThat(missing("./duoka snapshot rollback RUN --to 3")).isEmpty();
    assertThat(missing("./duoka snapshot list RUN --to 3")).containsExactly("list --to");
    assertThat(missing("/opt/duoka/jre/bin/java --x")).isEmpty();
  }

  @Test
  void wrongPathsAreFound() {
    assertThat(namesAPath("tools/format")).isTrue();
    assertThat(namesAPath("tools/no-such-tool")).isTrue();
    assertThat(namesAPath("docs/missing.md")).isTrue();
    assertThat(namesAPath("config.json")).isFalse();
    assertThat(namesAPath("tokens/s")).isFalse();
    assertThat(namesAPath("runs/quickstart/metrics.jsonl")).isFalse();
    assertThat(namesAPath("runs/<name of the run file>")).isFalse();
  }

  /** What a piece of code names that the program does not have. */
  private static List<String> missing(String code) {
    List<String> missing = new ArrayList<>();
    Matcher call = CALL.matcher(code);
    if (!call.find()) {
      OPTION
          .matcher(code.startsWith("--") ? code : "")
          .results()
          .map(MatchResult::group)
          .filter(option -> !OPTIONS_OF_OTHERS.contains(option))
          .filter(option -> !exists(PROGRAM, option))
          .forEach(missing::add);
      return missing;
    }
    List<String> words = List.of(call.group(1).strip().split("\\s+"));
    CommandLine command = PROGRAM;
    if (words.getFirst().matches("[a-z]+")) {
      command = PROGRAM.getSubcommands().get(words.getFirst());
      if (command == null) {
        return List.of("command " + words.getFirst());
      }
      if (words.size() > 1 && command.getSubcommands().containsKey(words.get(1))) {
        command = command.getSubcommands().get(words.get(1));
      }
    }
    for (String word : words) {
      String option = word.replaceFirst("=.*", "");
      if (option.matches("--[a-z][a-z-]*") && !has(command, option)) {
        missing.add(command.getCommandName() + " " + option);
      }
    }
    return missing;
  }

  private static boolean has(CommandLine command, String option) {
    return command.getCommandSpec().optionsMap().containsKey(option)
        || command.getCommandSpec().negatedOptionsMap().containsKey(option);
  }

  /** Whether the option exists in any command. */
  private static boolean exists(CommandLine command, String option) {
    return has(command, option)
        || command.getSubcommands().values().stream().anyMatch(child -> exists(child, option));
  }

  /** Whether it reads as a path of this repository: it starts in it, or ends like a source file. */
  private static boolean namesAPath(String code) {
    if (!PATH.matcher(code).matches()) {
      return false;
    }
    List<String> words = List.of(code.replaceFirst("^\\./", "").split("/"));
    if (words.stream().anyMatch(NOT_CHECKED_IN::contains)) {
      return false;
    }
    Path first = Repository.root().resolve(words.getFirst());
    return (words.size() > 1 && Files.isDirectory(first)) || SOURCE_FILE.matcher(code).matches();
  }
}
