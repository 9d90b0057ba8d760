package dev.duoka.data.source;

import static dev.duoka.data.source.SourceSamples.read;
import static dev.duoka.data.source.SourceSamples.write;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordSourceTests {
  private static final RecordContent WHOLE = new RecordContent.WholeRecord();

  @TempDir Path folder;

  @Test
  void readsJsonLines() throws IOException {
    Path file =
        write(
            folder.resolve("a.jsonl"),
            """
            {"text":"one","meta":{"text":"inner"}}\r

            \s
            {"n":[1],"text":"t\\u4e8c"}\
            """);
    assertThat(read(file.toString()))
        .containsExactly(new Document("a.jsonl#1", "one"), new Document("a.jsonl#4", "t二"));
  }

  @Test
  void readsAnotherFieldOrTheWholeRecord() throws IOException {
    String line = "{\"content\": \"x\", \"messages\": [ ]}";
    SourceSpec spec = SourceSpec.of(write(folder.resolve("a.jsonl"), line).toString());
    assertThat(read(spec.withContent(new RecordContent.Field("content"))))
        .containsExactly(new Document("a.jsonl#1", "x"));
    assertThat(read(spec.withContent(WHOLE))).containsExactly(new Document("a.jsonl#1", line));
  }

  @Test
  void splitsLinesOfAnyLength() throws IOException {
    Random random = new Random(11);
    StringBuilder lines = new StringBuilder();
    int[] lengths = new int[60];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = random.nextInt(10) == 0 ? random.nextInt(900_000) : random.nextInt(100);
      lines.append("{\"text\":\"").append("y".repeat(lengths[i])).append("\"}\n");
    }
    List<Document> documents = read(write(folder.resolve("a.jsonl"), lines.toString()).toString());
    assertThat(documents).extracting(d -> d.text().length()).containsExactly(boxed(lengths));
  }

  @Test
  void readsAJsonArrayAndJsonValuesOneAfterAnother() throws IOException {
    Path array = write(folder.resolve("a.json"), "[\n {\"text\":\"1\"},\n {\"text\":\"2\"}\n]");
    Path row = write(folder.resolve("b.json"), "{\"text\":\"1\"} {\"text\":\n\"2\"}\n");
    assertThat(read(array.toString()))
        .containsExactly(new Document("a.json#1", "1"), new Document("a.json#2", "2"));
    assertThat(read(row.toString())).extracting(Document::text).containsExactly("1", "2");
    assertThat(read(SourceSpec.of(array.toString()).withContent(WHOLE)))
        .extracting(Document::text)
        .containsExactly("{\"text\":\"1\"}", "{\"text\":\"2\"}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"zstd", "snappy", "gzip", "none"})
  void readsParquetOfEachCodec(String codec) {
    String name = "text-" + codec + ".parquet";
    assertThat(read(resource(name)))
        .containsExactly(
            new Document(name + "#1", "first 文 document"),
            new Document(name + "#2", "second"),
            new Document(name + "#3", "third\nwith lines"));
  }

  @Test
  void readsParquetOfManyRowGroupsInOrder() {
    List<Document> documents = read(resource("many-row-groups.parquet"));
    assertThat(documents).hasSize(3000);
    for (int i = 0; i < documents.size(); i++) {
      assertThat(documents.get(i).text()).isEqualTo("row " + i);
    }
  }

  @Test
  void readsParquetRowsAsJson() {
    assertThat(read(SourceSpec.of(resource("messages.parquet")).withContent(WHOLE)))
        .extracting(Document::text)
        .containsExactly(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                + "{\"role\":\"assistant\",\"content\":\"hello\"}],\"score\":1.5}",
            "{\"messages\":[{\"role\":\"user\",\"content\":null}],\"score\":null}");
  }

  @Test
  void skipsAndCountsBadRecordsWhenAsked() throws IOException {
    Path file =
        write(
            folder.resolve("a.jsonl"),
            """
            {"text":"good"}
            {"text":
            null
            {"text":1}
            {"t":"x"}
            {"text":"\\ud800"}
            """);
    SourceSpec spec = SourceSpec.of(file.toString()).withBadDocuments(BadDocuments.SKIP);
    try (DataSource source = DataSource.open(spec)) {
      assertThat(read(source)).containsExactly(new Document("a.jsonl#1", "good"));
      assertThat(source.skipped())
          .isEqualTo(
              Map.of(
                  SkipReason.BAD_JSON, 2L, SkipReason.NO_TEXT_FIELD, 2L, SkipReason.BAD_UTF8, 1L));
      assertThat(SkipReason.describe(source.skipped()))
          .isEqualTo("1 not valid UTF-8, 2 not valid JSON, 2 without a text field");
    }
    SourceSpec parquet =
        SourceSpec.of(resource("null.parquet")).withBadDocuments(BadDocuments.SKIP);
    assertThat(read(parquet)).extracting(Document::text).containsExactly("a", "c");
  }

  static String resource(String name) {
    try {
      return Path.of(
              Objects.requireNonNull(RecordSourceTests.class.getResource("/parquet/" + name))
                  .toURI())
          .toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static Integer[] boxed(int[] values) {
    return Arrays.stream(values).boxed().toArray(Integer[]::new);
  }
}
