package dev.duoka.data.source;

import static dev.duoka.data.source.SourceSamples.read;
import static dev.duoka.data.source.SourceSamples.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BadSourceTests {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | CONFIG | no location",
        "jdk:sources | CONFIG | the source jdk:sources is not known",
        "jdk:src/no/such/** | DATA | holds no files",
        "/no/such/place/a.txt | DATA | does not exist: no /no",
        "/no/such/place/*.txt | DATA | does not exist: no /no",
        "/no/such/x.zip!/a | DATA | does not exist: no /no",
      })
  void refusesLocations(String location, ErrorCode code, String message) {
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(location)))
        .isInstanceOfSatisfying(DuokaException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }

  @Test
  void namesTheFileThatIsProbablyMeant() throws IOException {
    write(folder.resolve("corpus.jsonl"), "");
    assertThatThrownBy(() -> read(folder + "/corpos.jsonl"))
        .hasMessageContaining("Did you mean 'corpus.jsonl'?");
  }

  @Test
  void refusesAnEmptyFolderAListWithoutSourcesAndAPatternThatFitsNothing() throws IOException {
    assertThatThrownBy(() -> read(folder.toString())).hasMessageContaining("holds no files");
    assertThatThrownBy(() -> Corpus.open(List.of())).hasMessageContaining("no sources");
    write(folder.resolve("a.md"), "");
    assertThatThrownBy(() -> read(folder + "/*.txt")).hasMessageContaining("holds no files");
  }

  @Test
  void refusesALinkToNothing() throws IOException {
    write(folder.resolve("a.txt"), "text");
    Files.createSymbolicLink(folder.resolve("b.txt"), folder.resolve("missing"));
    assertThatThrownBy(() -> read(folder.toString()))
        .hasMessageContaining("holds b.txt, a link to a file that is not there");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.jsonl | {\"text\":\"ok\"}~{\"text\":oops} | a.jsonl line 2 is not a JSON object",
        "a.jsonl | {\"text\":\"ok\"}~[1] | a.jsonl line 2 is not a JSON object: it does not start",
        "a.jsonl | {\"text\":\"ok\"} {} | line 1 is not a JSON object: something follows",
        "a.jsonl | {\"text\":\"ok\" | line 1 is not a JSON object",
        "a.jsonl | {\"txt\":\"ok\"} | line 1: the field 'text' is missing",
        "a.jsonl | {\"text\":7} | line 1: the field 'text' holds a number",
        "a.jsonl | {\"text\":null} | line 1: the field 'text' holds null",
        "a.jsonl | {\"text\":\"\\udc00 x\"} | line 1 holds half of a surrogate pair",
        "a.json | [{\"text\":\"ok\"}~,{\"text\" 1}] | a.json line 2 is not valid JSON, and nothing"
            + " behind it can be read",
        "a.json | [{\"text\":\"ok\"},~5] | record 2 (line 2) is not a JSON object",
        "a.json | [{\"txt\":\"ok\"}] | record 1 (line 1): the field 'text' is missing",
        "a.parquet | no parquet at all | as Parquet",
        "a.jsonl.gz | not compressed | cannot read",
        "a.zst | not compressed | cannot read",
        "a.zip | not a zip | cannot read the source",
      })
  void refusesFiles(String name, String text, String message) throws IOException {
    Path file = write(folder.resolve(name), text.replace('~', '\n'));
    assertThatThrownBy(() -> read(file.toString()))
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.DATA);
              assertThat(e.remedy()).isNotEmpty();
            })
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void namesTheByteThatIsNotUtf8() throws IOException {
    byte[] bytes = "caf\u00e9 and {\"text\":\"caf?\"}\n".getBytes(StandardCharsets.UTF_8);
    bytes[bytes.length - 4] = (byte) 0xE9;
    Path text = Files.write(folder.resolve("a.txt"), bytes);
    assertThatThrownBy(() -> read(text.toString()))
        .hasMessageContaining(text + " is not valid UTF-8 at byte " + (bytes.length - 4))
        .hasMessageContaining("iconv");
    byte[] lines = concat("{\"text\":\"ok\"}\n{\"text\":\"", 0xFF, "\"}\n");
    Path jsonl = Files.write(folder.resolve("a.jsonl"), lines);
    assertThatThrownBy(() -> read(jsonl.toString()))
        .hasMessageContaining("line 2 is not valid UTF-8 at byte 23");
    Path json = Files.write(folder.resolve("a.json"), lines);
    assertThatThrownBy(() -> read(json.toString()))
        .hasMessageContaining("is not valid UTF-8 at byte 23");
    assertThatThrownBy(() -> read(RecordSourceTests.resource("bad-utf8.parquet")))
        .hasMessageContaining("row 2 is not valid UTF-8 at byte 0");
  }

  @Test
  void skipsTextThatIsNotUtf8WhenAsked() throws IOException {
    Files.write(folder.resolve("a.txt"), new byte[] {'a', (byte) 0xC3});
    write(folder.resolve("b.txt"), "good \uFFFD");
    SourceSpec spec = SourceSpec.of(folder.toString()).withBadDocuments(BadDocuments.SKIP);
    try (DataSource source = DataSource.open(spec)) {
      assertThat(read(source)).containsExactly(new Document("b.txt", "good \uFFFD"));
      assertThat(source.skipped()).isEqualTo(Map.of(SkipReason.BAD_UTF8, 1L));
    }
  }

  @Test
  void namesTheColumnsOfAParquetFile() {
    SourceSpec spec =
        SourceSpec.of(RecordSourceTests.resource("text-none.parquet"))
            .withContent(new RecordContent.Field("txt"));
    assertThatThrownBy(() -> read(spec))
        .hasMessageContaining("has no column 'txt'")
        .hasMessageContaining("Did you mean 'text'?");
    assertThatThrownBy(() -> read(spec.withContent(new RecordContent.Field("id"))))
        .hasMessageContaining("column 'id' of")
        .hasMessageContaining("does not hold text");
    assertThatThrownBy(() -> read(RecordSourceTests.resource("null.parquet")))
        .hasMessageContaining("row 2: the field 'text' is null");
  }

  @Test
  void refusesTruncatedParquetWithOneMessage() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of(RecordSourceTests.resource("text-zstd.parquet")));
    for (int length = 0; length < whole.length; length += 37) {
      Path file = folder.resolve("cut.parquet");
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> read(file.toString()))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("cut.parquet");
    }
  }

  private static byte[] concat(String before, int odd, String after) {
    byte[] bytes = (before + "?" + after).getBytes(StandardCharsets.UTF_8);
    bytes[before.length()] = (byte) odd;
    return bytes;
  }

  /** What comes before the fault is read, and so are the other files. */
  @Test
  void theRestOfABrokenArrayIsOneBadRecord() throws IOException {
    write(folder.resolve("a.json"), "[{\"text\":\"one\"},\n{\"text\" 1}, {\"text\":\"lost\"}]");
    write(folder.resolve("b.json"), "[{\"text\":\"two\"}]");
    SourceSpec skips = SourceSpec.of(folder.toString()).withBadDocuments(BadDocuments.SKIP);
    List<String> texts = new ArrayList<>();
    try (Corpus corpus = Corpus.open(List.of(skips));
        DocumentReader reader = corpus.reader()) {
      for (PendingDocument pending = reader.next(); pending != null; pending = reader.next()) {
        Document document = pending.read();
        if (document != null) {
          texts.add(document.text());
        }
      }
      assertThat(texts).containsExactly("one", "two");
      assertThat(corpus.badData().bad()).containsExactly(entry(SkipReason.BAD_JSON, 1L));
      assertThat(corpus.badData().places().getFirst().line()).contains("a.json line 2");
    }
  }
}
