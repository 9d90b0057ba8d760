package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RunFileDocsTests {
  @Test
  void thePageInTheRepositoryIsUpToDate() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "run-file.md");
    assertThat(Files.readString(page))
        .as("docs/run-file.md; write it anew with ./duoka config --docs > docs/run-file.md")
        .isEqualTo(RunFileDocs.markdown());
  }

  @Test
  void theExampleInThePageIsValid() {
    assertThat(RunFile.parse("example", RunFileDocs.EXAMPLE, List.of()).training().length())
        .isEqualTo(new TrainingLength.Steps(300));
    assertThat(RunFileDocs.markdown()).contains(RunFileDocs.EXAMPLE);
  }
}
