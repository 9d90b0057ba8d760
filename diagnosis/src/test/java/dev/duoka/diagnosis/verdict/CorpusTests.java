package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Logs of real failures and of healthy runs, kept outside of the project. */
final class CorpusTests {
  private Path corpus = Path.of("");

  @BeforeEach
  void find() {
    String named = System.getenv("DUOKA_CORPUS");
    corpus =
        named == null
            ? Path.of(System.getProperty("duoka.repository"), "..", "shared", "corpus")
            : Path.of(named);
    Assumptions.assumeTrue(
        Files.isDirectory(corpus.resolve("logs")), "no corpus: set DUOKA_CORPUS to its folder");
  }

  @Test
  void nineOfTenHaveTheRightComponentAndTheDecidingLine() throws IOException {
    List<String> wrong = new ArrayList<>();
    int count = 0;
    for (JsonNode label : labels("logs")) {
      count++;
      String file = label.path("file").stringValue();
      Diagnosis diagnosis = diagnose("logs", file);
      boolean unknown =
          diagnosis.findings().isEmpty()
              || diagnosis.findings().getFirst().role() != dev.duoka.diagnosis.rule.Role.ROOT;
      if (label.path("decidable_from_log").stringValue().equals("no") && unknown) {
        continue;
      }
      if (!right(diagnosis, label)) {
        wrong.add(file);
      }
    }
    assertThat(wrong).as("of %d", count).hasSizeLessThanOrEqualTo(count / 10);
  }

  @Test
  void healthyRunsHaveNoFinding() throws IOException {
    for (JsonNode label : labels("healthy")) {
      String file = label.path("file").stringValue();
      assertThat(diagnose("healthy", file).findings()).as(file).isEmpty();
    }
  }

  private static boolean right(Diagnosis diagnosis, JsonNode label) {
    String line = label.path("evidence_line").stringValue().strip();
    return !diagnosis.findings().isEmpty()
        && diagnosis
            .findings()
            .getFirst()
            .component()
            .label()
            .equals(label.path("component").stringValue())
        && diagnosis.findings().stream()
            .flatMap(finding -> finding.evidence().stream())
            .anyMatch(evidence -> evidence.text().strip().contains(line));
  }

  private Diagnosis diagnose(String folder, String file) {
    return Diagnosis.of(List.of(LogSource.file(corpus.resolve(folder).resolve(file))));
  }

  private List<JsonNode> labels(String folder) throws IOException {
    return Files.readAllLines(corpus.resolve(folder).resolve("labels.jsonl")).stream()
        .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8), folder, ErrorCode.FORMAT))
        .toList();
  }
}
