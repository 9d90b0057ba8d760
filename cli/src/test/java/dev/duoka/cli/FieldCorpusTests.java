package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/**
 * The corpus of this repository: small inputs, each with what is true of it. Those that the program
 * still reads wrongly are listed in {@code known-gaps}, and must be taken off it once it does not.
 */
final class FieldCorpusTests {
  private static final Path CORPUS = Path.of(System.getProperty("duoka.repository"), "corpus");
  private static final List<String> FOLDERS = List.of("field", "fresh");

  @TempDir Path folder;

  static List<Arguments> files() throws IOException {
    List<Arguments> all = new ArrayList<>();
    for (String of : FOLDERS) {
      files(of).forEach(file -> all.add(Arguments.of(of, file)));
    }
    return all;
  }

  private static List<String> files(String of) throws IOException {
    return labels(of).stream().map(label -> label.get("file").stringValue()).toList();
  }

  @ParameterizedTest
  @MethodSource("files")
  void whatIsTrueOfAFileIsSaid(String of, String file) throws IOException {
    JsonNode label =
        labels(of).stream()
            .filter(entry -> entry.get("file").stringValue().equals(file))
            .findFirst()
            .orElseThrow();
    boolean right = isRight(of, label);
    if (gaps(of).contains(file)) {
      assertThat(right).as("%s is read rightly now: take it off known-gaps", file).isFalse();
    } else {
      assertThat(right).as("%s: %s", file, label.get("truth").stringValue()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"field", "fresh"})
  void everyFileHasALabelAndGapsAreFiles(String of) throws IOException {
    try (Stream<Path> list = Files.list(CORPUS.resolve(of))) {
      List<String> inputs =
          list.map(path -> path.getFileName().toString())
              .filter(name -> !name.equals("labels.jsonl") && !name.equals("known-gaps"))
              .toList();
      assertThat(inputs).isNotEmpty().containsExactlyInAnyOrderElementsOf(files(of));
      assertThat(inputs).containsAll(gaps(of));
    }
  }

  private boolean isRight(String of, JsonNode label) throws IOException {
    Path file = CORPUS.resolve(of).resolve(label.get("file").stringValue());
    return switch (label.get("command").stringValue()) {
      case "diagnose" -> {
        JsonNode findings = json("diagnose", file.toString(), "--json").get("findings");
        yield componentFits(findings, label)
            && matches(label, findings.isEmpty() ? "" : findings.get(0).toString());
      }
      case "topo" -> matches(label, json("topo", "--file", file.toString(), "--json").toString());
      case "config" -> {
        Files.copy(file, folder.resolve("config.json"));
        yield json("plan", "--model", folder.toString(), "--machine", "8xH200", "--json")
            .has("plans");
      }
      default -> throw new IllegalArgumentException(label.toString());
    };
  }

  private static boolean componentFits(JsonNode findings, JsonNode label) {
    JsonNode wanted = label.get("component");
    List<String> allowed = new ArrayList<>();
    if (wanted.isArray()) {
      wanted.forEach(entry -> allowed.add(entry.isNull() ? "" : entry.stringValue()));
    } else {
      allowed.add(wanted.isNull() ? "" : wanted.stringValue());
    }
    return allowed.contains(
        findings.isEmpty() ? "" : findings.get(0).get("component").stringValue());
  }

  private static boolean matches(JsonNode label, String json) {
    JsonNode pattern = label.get("must_match");
    return pattern.isNull() || Pattern.compile(pattern.stringValue()).matcher(json).find();
  }

  /** What a command prints, or an empty object where it ends with an error. */
  private static JsonNode json(String... arguments) {
    StringWriter out = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(new StringWriter(), true));
    Main.run(arguments, commandLine);
    String text = out.toString().isBlank() ? "{\"findings\": []}" : out.toString();
    return Json.parse(text.getBytes(StandardCharsets.UTF_8), "output", ErrorCode.FORMAT);
  }

  private static List<JsonNode> labels(String of) throws IOException {
    return Files.readAllLines(CORPUS.resolve(of).resolve("labels.jsonl")).stream()
        .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8), "labels", ErrorCode.DATA))
        .toList();
  }

  private static List<String> gaps(String of) throws IOException {
    return Files.readAllLines(CORPUS.resolve(of).resolve("known-gaps")).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }
}
