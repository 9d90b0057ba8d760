package dev.duoka.data.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LongLineTests {
  @TempDir Path folder;

  /** Lines that cannot be held are passed over in memory for one of them, wherever they are. */
  @Test
  void linesThatAreTooLongAreBadAndOthersAreNot() throws IOException {
    StringBuilder text = new StringBuilder();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      boolean tooLong = i == 0 || i == 4 || i == 8;
      String word = "w".repeat(tooLong ? 500 + 100 * i : 10 + 7 * i);
      text.append("{\"text\":\"").append(word).append("\"}").append(i == 8 ? "" : "\n");
      expected.add(tooLong ? "bad" : word);
    }
    Path file = Files.writeString(folder.resolve("a.jsonl"), text);
    SourceSpec spec = SourceSpec.of(file.toString());
    SkippedDocuments skipped = new SkippedDocuments();
    SourceFile source = new SourceFile.Local(file, "a.jsonl", Files.size(file), "now", true);
    List<String> read = new ArrayList<>();
    try (JsonLinesReader reader =
        new JsonLinesReader(source, new ReadOptions(spec, skipped), 128)) {
      for (PendingDocument next = reader.next(); next != null; next = reader.next()) {
        Document document = next.read();
        read.add(document == null ? "bad" : document.text());
      }
    }
    assertThat(read).isEqualTo(expected);
    assertThat(skipped.report().bad()).containsExactly(entry(SkipReason.TOO_LONG, 3L));
    assertThat(skipped.report().places().getLast().name()).endsWith("a.jsonl line 9");
    try (JsonLinesReader reader =
        new JsonLinesReader(source, new ReadOptions(spec, skipped), 128)) {
      PendingDocument first = reader.next();
      assertThat(first).isNotNull();
      assertThatThrownBy(first::load)
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("line 1 is longer than 128");
    }
  }
}
