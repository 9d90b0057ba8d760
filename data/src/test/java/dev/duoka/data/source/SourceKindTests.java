package dev.duoka.data.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.UserPath;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kinds of sources: those that are read in another way, and those that are named and refused. */
class SourceKindTests {
  @TempDir Path folder;

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static List<String> ids(SourceSpec spec) {
    return documents(spec).stream().map(Document::id).toList();
  }

  private static List<Document> documents(SourceSpec spec) {
    List<Document> documents = new ArrayList<>();
    try (DataSource source = DataSource.open(spec);
        DocumentReader reader = source.reader()) {
      for (PendingDocument next = reader.next(); next != null; next = reader.next()) {
        Document document = next.load();
        if (document != null) {
          documents.add(document);
        }
      }
    }
    return documents;
  }

  @ParameterizedTest
  @CsvSource({
    "a.jsonl.xz, compressed by xz",
    "a.txt.BZ2, compressed by bzip2",
    "a.tar, a tar archive",
    "a.tar.gz, a tar archive",
    "a.tgz, a tar archive",
    "a.7z, a 7-Zip archive",
    "a.jsonl.lz4, compressed by lz4",
    "a.arrow, an Arrow file"
  })
  void namesWhatIsNotRead(String name, String kind) throws IOException {
    Path file = write(name, "whatever");
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(file.toString())))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(file + " is " + kind)
        .hasMessageNotContaining("iconv");
    String glob = folder + "/*" + name.substring(1);
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(glob))).hasMessageContaining(kind);
  }

  /** Of a folder only what is data by its inner name is missed by anybody. */
  @Test
  void aFolderMayHoldOtherArchives() throws IOException {
    write("src/a.c", "int x;");
    write("src/fixture.tar", "\0\0");
    assertThat(ids(SourceSpec.of(folder.toString()))).containsExactly("src/a.c");
    write("src/shard.jsonl.xz", "x");
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(folder.toString())))
        .hasMessageContaining("shard.jsonl.xz is compressed by xz");
  }

  @ParameterizedTest
  @CsvSource({
    "fd377a585a0000ff, compressed by xz",
    "425a6839314159ff, compressed by bzip2",
    "1f8b0800ffffffff, compressed by gzip (name it .gz)",
    "504b0304ffffffff, a zip archive (name it .zip)",
    "fffe680065006c00, text in UTF-16 (set data.encoding: utf-16)"
  })
  void knowsByContentWhatANameDoesNotSay(String bytes, String kind) throws IOException {
    Path file = Files.write(folder.resolve("a.txt"), HexFormat.of().parseHex(bytes));
    assertThatThrownBy(() -> documents(SourceSpec.of(file.toString())))
        .hasMessageContaining("by its content it is " + kind);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gb18030", "gbk", "utf-16", "utf-16le", "big5"})
  void readsOtherEncodings(String name) throws IOException {
    Charset encoding = Charset.forName(name);
    String text = "多卡训练\n".replace('训', '中').repeat(9000);
    String readable = encoding.newEncoder().canEncode(text) ? text : "中文\n".repeat(9000);
    SourceSpec txt =
        SourceSpec.of(Files.write(folder.resolve("a.txt"), readable.getBytes(encoding)).toString())
            .withEncoding(encoding);
    assertThat(documents(txt)).extracting(Document::text).containsExactly(readable);
    String line = "{\"text\":\"中文\"}\n";
    for (String file : List.of("b.jsonl", "b.json")) {
      Path path = Files.write(folder.resolve(file), line.repeat(3).getBytes(encoding));
      assertThat(documents(SourceSpec.of(path.toString()).withEncoding(encoding)))
          .extracting(Document::text)
          .containsExactly("中文", "中文", "中文");
    }
    assertThat(fingerprint(txt))
        .isNotEqualTo(fingerprint(txt.withEncoding(StandardCharsets.UTF_8)));
  }

  private static String fingerprint(SourceSpec spec) {
    try (DataSource source = DataSource.open(spec)) {
      return source.fingerprint();
    }
  }

  @Test
  void whatIsNoTextInTheEncodingIsRefusedOrLeftOut() throws IOException {
    Files.write(folder.resolve("a.txt"), new byte[] {(byte) 0x81, 0x20, 0x41});
    SourceSpec spec = SourceSpec.of(folder.toString()).withEncoding(Charset.forName("gb18030"));
    assertThatThrownBy(() -> documents(spec)).hasMessageContaining("no text in data.encoding");
    assertThat(documents(spec.withBadDocuments(BadDocuments.SKIP))).isEmpty();
  }

  @Test
  void ofAPublishedDatasetTheTrainingSplitIsTaken() throws IOException {
    write("README.md", "about");
    write("dataset_infos.json", "{}");
    write("data/train-00000-of-00002.jsonl", "{\"text\":\"a\"}\n");
    write("data/train-00001-of-00002.jsonl", "{\"text\":\"b\"}\n");
    write("data/validation-00000-of-00001.jsonl", "{\"text\":\"no\"}\n");
    write("data/test-00000-of-00001.jsonl", "{\"text\":\"no\"}\n");
    SourceSpec spec = SourceSpec.of(folder.toString());
    assertThat(documents(spec)).extracting(Document::text).containsExactly("a", "b");
    try (DataSource source = DataSource.open(spec)) {
      assertThat(source.skipped()).isEqualTo(Map.of(SkipReason.NOT_FOR_TRAINING, 4L));
    }
    SourceSpec test = SourceSpec.of(folder + "/data/test-*.jsonl");
    assertThat(documents(test)).as("a pattern says what is wanted").hasSize(1);
  }

  /** Names that look like splits in folders that are none. */
  @Test
  void otherFoldersAreTakenWhole() throws IOException {
    write("README.md", "a readme");
    write("src/train/Main.java", "class A {}");
    write("src/test/MainTests.java", "class B {}");
    assertThat(ids(SourceSpec.of(folder.toString()))).hasSize(3);
    write("other/latest.jsonl", "{\"text\":\"a\"}\n");
    write("other/contest.jsonl", "{\"text\":\"b\"}\n");
    write("other/test.jsonl", "{\"text\":\"c\"}\n");
    assertThat(ids(SourceSpec.of(folder + "/other"))).as("no split to train on").hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://example.org/a.jsonl",
        "http://example.org/a.txt",
        "s3://bucket/key",
        "hf://datasets/x/y"
      })
  void anAddressIsNamed(String location) {
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(location)))
        .hasMessageContaining(location + " is an address")
        .hasMessageContaining("Download it first");
  }

  @Test
  void pipesAndDevicesAreNamed() throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of(pipe.toString())))
        .hasMessageContaining(pipe + ": it is a pipe, not a file");
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of("/dev/zero")))
        .hasMessageContaining("it is a device");
  }

  @Test
  void entriesThatLeadOutsideAreCounted() throws IOException {
    Path zip = folder.resolve("a.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      for (String name : List.of("ok.txt", "../up.txt", "a/../../b.txt", "a/..b.txt", "/c.txt")) {
        out.putNextEntry(new ZipEntry(name));
        out.write(name.getBytes(StandardCharsets.UTF_8));
        out.closeEntry();
      }
    }
    try (DataSource source = DataSource.open(SourceSpec.of(zip.toString()))) {
      assertThat(source.files()).isEqualTo(1);
      assertThat(source.skipped()).isEqualTo(Map.of(SkipReason.OUTSIDE, 3L));
    }
  }

  @Test
  void theHomeFolderIsExpanded() {
    assertThatThrownBy(() -> DataSource.open(SourceSpec.of("~/no such file at all")))
        .hasMessageContaining(UserPath.home(System::getenv) + "/no such file at all");
  }
}
