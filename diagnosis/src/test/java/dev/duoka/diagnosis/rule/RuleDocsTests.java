package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RuleDocsTests {
  private static final Path DOCS = Path.of(System.getProperty("duoka.repository"), "docs");

  @Test
  void thePageInTheRepositoryIsUpToDate() throws IOException {
    assertThat(Files.readString(DOCS.resolve("diagnosis.md")))
        .as("docs/diagnosis.md; write it anew with ./duoka diagnose --docs > docs/diagnosis.md")
        .isEqualTo(RuleDocs.markdown());
  }

  @ParameterizedTest
  @EnumSource
  void thePageOfEachComponentIsUpToDate(Component component) throws IOException {
    String name = component.label();
    assertThat(Files.readString(DOCS.resolve("diagnosis").resolve(name + ".md")))
        .as("write it anew with ./duoka diagnose --docs=%s > docs/diagnosis/%s.md", name, name)
        .isEqualTo(RuleDocs.markdown(component));
  }
}
