package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.DataSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Each recipe of {@code examples}, shrunken as its page shrinks it. */
final class RecipesTests {
  private static final Path ROOT = Path.of(System.getProperty("duoka.repository"));
  private static final Path EXAMPLES = ROOT.resolve("examples");
  private static final Path PAGES = ROOT.resolve("docs/recipes");

  /** The page's lines from a command on: further ones as long as a line ends in a backslash. */
  private static final String COMMAND = "(?m)^\\./duoka %s examples/%s\\.yaml(?:.*\\\\\n)+.*$";

  private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

  /** Where model and data are and how much of them there is; everything else is the recipe. */
  private static final Set<String> SHRUNKEN =
      Set.of(
          "model.path",
          "model.load_weights",
          "model.preset",
          "data.sources",
          "data.tokenizer",
          "data.chat_template",
          "data.sequence_length",
          "data.validation_fraction",
          "training.tokens_per_step",
          "training.epochs",
          "training.tokens",
          "training.steps",
          "schedule.warmup_steps",
          "validation.tasks",
          "validation.answer_tokens",
          "device");

  @TempDir Path folder;

  private final ProgramRun program = new ProgramRun();

  static List<String> recipes() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml") && !name.equals("quickstart.yaml"))
          .map(name -> name.substring(0, name.length() - ".yaml".length()))
          .sorted()
          .toList();
    }
  }

  private static Path file(String recipe) {
    return EXAMPLES.resolve(recipe + ".yaml");
  }

  /** What the shrunken command of a page sets. */
  private static List<String> overrides(String recipe) throws IOException {
    String page = Files.readString(PAGES.resolve(recipe + ".md"));
    Matcher command = Pattern.compile(COMMAND.formatted("train", recipe)).matcher(page);
    assertThat(command.find()).as("the shrunken command of " + recipe).isTrue();
    List<String> words = new ArrayList<>();
    WORD.matcher(command.group().replace("\\\n", " "))
        .results()
        .forEach(word -> words.add(word.group(1) == null ? word.group(2) : word.group(1)));
    List<String> set = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      if (words.get(i).equals("--set")) {
        set.add(words.get(i + 1));
      }
    }
    return set;
  }

  /** The arguments of a command on a shrunken recipe, which writes to this test's folder alone. */
  private String[] arguments(String command, String recipe, String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(command, file(recipe).toString()));
    arguments.addAll(List.of(more));
    for (String override : overrides(recipe)) {
      arguments.add("--set");
      arguments.add(override.replace("examples/data/", EXAMPLES.resolve("data") + "/"));
    }
    arguments.addAll(List.of("--set", "data.cache=" + folder.resolve("cache")));
    return arguments.toArray(String[]::new);
  }

  private void run(String... arguments) {
    assertThat(program.run(arguments)).as(program.err().toString()).isZero();
  }

  @Test
  void eachHasAPageThatIsListed() throws IOException {
    assertThat(recipes()).hasSize(6);
    String list = Files.readString(PAGES.resolve("README.md"));
    for (String recipe : recipes()) {
      assertThat(list).contains("(" + recipe + ".md)");
      assertThat(Files.readString(file(recipe))).contains("docs/recipes/" + recipe + ".md");
    }
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void wholeItIsAValidRunFileAndShrunkenTheSame(String recipe) throws IOException {
    RunConfig whole = RunFile.read(file(recipe), List.of());
    List<String> overrides = overrides(recipe);
    assertThat(overrides).allMatch(it -> SHRUNKEN.contains(it.substring(0, it.indexOf('='))));
    RunConfig shrunken = RunFile.read(file(recipe), overrides);
    assertThat(shares(shrunken.data())).isEqualTo(shares(whole.data()));
    assertThat(shrunken.parallel()).isEqualTo(whole.parallel());
    assertThat(shrunken.validation().tasks())
        .extracting(it -> it.shownName() + it.kind())
        .isEqualTo(
            whole.validation().tasks().stream().map(it -> it.shownName() + it.kind()).toList());
  }

  private static List<String> shares(DataSettings data) {
    return data.sources().stream().map(it -> it.shownName() + " " + it.weight()).toList();
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void trainsAndIsMeasured(String recipe) throws IOException {
    Path run = folder.resolve(recipe);
    run(arguments("train", recipe, "--run-dir", run.toString()));
    List<JsonNode> steps = new ArrayList<>();
    List<JsonNode> validations = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = Json.parse(line.getBytes(StandardCharsets.UTF_8), "it", ErrorCode.FORMAT);
      (node.has("validation_loss") ? validations : steps).add(node);
    }
    assertThat(steps).hasSize(2).allMatch(step -> Double.isFinite(step.get("loss").doubleValue()));
    assertThat(validations).hasSize(1);
    RunConfig config = RunFile.read(file(recipe), List.of());
    config
        .validation()
        .tasks()
        .forEach(
            task ->
                assertThat(
                        validations.getFirst().get("validation").get(task.shownName()).isNumber())
                    .isTrue());
    assertThat(run.resolve("checkpoints")).isNotEmptyDirectory();
    assertThat(Files.exists(run.resolve("answers.jsonl")))
        .isEqualTo(config.validation().answers() > 0);
  }

  @ParameterizedTest
  @CsvSource({"dpo, 2", "instruct-lora, 1", "pretrain-domain, 1"})
  void previewShowsWhatThePageShows(String recipe, String records) throws IOException {
    run(arguments("preview", recipe, "--records", records));
    String shown = program.out().toString();
    assertThat(Files.readString(PAGES.resolve(recipe + ".md"))).contains(shown.strip());
  }
}
