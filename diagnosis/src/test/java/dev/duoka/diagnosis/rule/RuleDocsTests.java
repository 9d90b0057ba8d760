package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class RuleDocsTests {
  @Test
  void thePageInTheRepositoryIsUpToDate() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "diagnosis.md");
    assertThat(Files.readString(page))
        .as("docs/diagnosis.md; write it anew with ./duoka diagnose --docs > docs/diagnosis.md")
        .isEqualTo(RuleDocs.markdown());
  }
}
