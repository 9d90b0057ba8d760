package dev.duoka.train.config.binding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.train.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Messages name only fields that a run file has. */
final class RemedyFieldsTests {
  private static final Pattern LITERAL = Pattern.compile("\"(?:[^\"\\\\\\n]|\\\\.)*\"");

  /** What begins like a field and is none: files, and weights of a checkpoint. */
  private static final Pattern NOT_FIELDS =
      Pattern.compile(
          "(model|optimizer)\\.safetensors.*"
              + "|model\\.(layers|embed_tokens|norm|vocab|merges|type|config|json).*"
              + "|data\\.file_names"); // of a snapshot

  private final Set<String> fields = new HashSet<>();
  private final Set<String> sections = new TreeSet<>();

  RemedyFieldsTests() {
    collect(RunConfig.class, "");
  }

  private void collect(Class<?> section, String path) {
    for (Field field : Field.of(section)) {
      String name = YamlTree.path(path, field.name());
      fields.add(name);
      if (field.isSection()) {
        if (path.isEmpty()) {
          sections.add(name);
        }
        collect((Class<?>) field.type(), name);
      }
    }
  }

  @Test
  void everyNamedFieldExists() throws IOException {
    Set<String> unknown = new TreeSet<>();
    int found = 0;
    for (Path file : sources()) {
      for (String name : named(Files.readString(file))) {
        found++;
        if (!fields.contains(name) && !name.startsWith("model.overrides.")) {
          unknown.add(name + " in " + file.getFileName());
        }
      }
    }
    assertThat(unknown).isEmpty();
    assertThat(found).isGreaterThan(40);
  }

  @Test
  void findsWhatDoesNotExist() {
    assertThat(named("\"Set data.bad_documents to skip\"")).containsExactly("data.bad_documents");
    assertThat(fields).contains("data.on_bad_text", "model.router.bias_update_rate");
    assertThat(named("\"model.safetensors\" + data.method()")).isEmpty();
  }

  /** The names in string literals that begin with a section of the run file. */
  private List<String> named(String source) {
    Pattern name =
        Pattern.compile("(?<![\\w./-])(?:" + String.join("|", sections) + ")\\.[a-z_.]*[a-z_]");
    String literals =
        LITERAL
            .matcher(source)
            .results()
            .map(match -> match.group())
            .collect(Collectors.joining("\n"));
    return name.matcher(literals)
        .results()
        .map(match -> match.group())
        .filter(each -> !NOT_FIELDS.matcher(each).matches())
        .toList();
  }

  /** Of the modules that talk to those who write run files. */
  private static List<Path> sources() throws IOException {
    Path root = Path.of(System.getProperty("duoka.repository"));
    try (Stream<Path> data = Files.walk(root.resolve("data/src/main/java"));
        Stream<Path> train = Files.walk(root.resolve("train/src/main/java"));
        Stream<Path> cli = Files.walk(root.resolve("cli/src/main/java"))) {
      return Stream.of(data, train, cli)
          .flatMap(paths -> paths)
          .filter(path -> path.toString().endsWith(".java"))
          .toList();
    }
  }
}
