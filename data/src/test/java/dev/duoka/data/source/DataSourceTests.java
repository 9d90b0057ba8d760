package dev.duoka.data.source;

import static dev.duoka.data.source.SourceSamples.gzip;
import static dev.duoka.data.source.SourceSamples.read;
import static dev.duoka.data.source.SourceSamples.write;
import static dev.duoka.data.source.SourceSamples.zip;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataSourceTests {
  @TempDir Path folder;

  @Test
  void readsOneFileAsOneDocument() throws IOException {
    Path file = write(folder.resolve("book.txt"), "多卡\r\nsecond line");
    assertThat(read(file.toString()))
        .containsExactly(new Document("book.txt", "多卡\r\nsecond line"));
  }

  @Test
  void takesOffAByteOrderMark() throws IOException {
    Path file = write(folder.resolve("a.txt"), "\uFEFFtext");
    Path lines = write(folder.resolve("a.jsonl"), "\uFEFF{\"text\":\"x\"}");
    assertThat(read(file.toString())).extracting(Document::text).containsExactly("text");
    assertThat(read(lines.toString())).extracting(Document::text).containsExactly("x");
  }

  @Test
  void readsAFolderInTheOrderOfNamesWithoutHiddenFiles() throws IOException {
    write(folder.resolve("b/z.txt"), "z");
    write(folder.resolve("b/a.md"), "a");
    write(folder.resolve("a.py"), "p");
    write(folder.resolve(".git/config"), "hidden");
    write(folder.resolve("b/.DS_Store"), "hidden");
    assertThat(read(folder.toString()))
        .containsExactly(
            new Document("a.py", "p"), new Document("b/a.md", "a"), new Document("b/z.txt", "z"));
  }

  @Test
  void followsLinksToFiles() throws IOException {
    Path blob = write(folder.resolve("blobs/123"), "linked");
    Files.createDirectories(folder.resolve("snapshot"));
    Files.createSymbolicLink(folder.resolve("snapshot/a.txt"), blob);
    assertThat(read(folder.resolve("snapshot").toString()))
        .containsExactly(new Document("a.txt", "linked"));
  }

  @Test
  void readsAGlob() throws IOException {
    write(folder.resolve("d/1.txt"), "one");
    write(folder.resolve("d/e/2.txt"), "two");
    write(folder.resolve("d/e/3.md"), "three");
    assertThat(read(folder + "/d/**/*.txt"))
        .containsExactly(new Document("1.txt", "one"), new Document("e/2.txt", "two"));
    assertThat(read(folder + "/d/*.txt")).hasSize(1);
    assertThat(read(folder + "/*/e/[23].{txt,md}"))
        .extracting(Document::id)
        .containsExactly("d/e/2.txt", "d/e/3.md");
  }

  @Test
  void countsBinaryFilesOfAFolderAndLeavesThemOut() throws IOException {
    write(folder.resolve("a.txt"), "text");
    Files.write(folder.resolve("picture.png"), new byte[] {(byte) 0x89, 'P', 0, 0});
    try (DataSource source = DataSource.open(SourceSpec.of(folder.toString()))) {
      assertThat(read(source)).hasSize(1);
      assertThat(source.skipped()).isEqualTo(Map.of(SkipReason.BINARY, 1L));
    }
  }

  @Test
  void readsAZipWholeOrInPart() throws IOException {
    Map<String, String> entries = Map.of("b.txt", "b", "docs/a.txt", "a", "docs/x.jsonl", "{}");
    Path file = zip(folder.resolve("x.zip"), entries);
    assertThat(read(file + "!/docs/*.txt")).containsExactly(new Document("docs/a.txt", "a"));
    assertThat(read(SourceSpec.of(file.toString()).withFormat(DocumentFormat.TEXT)))
        .extracting(Document::id)
        .containsExactly("b.txt", "docs/a.txt", "docs/x.jsonl");
  }

  @Test
  void readsCompressedFiles() throws IOException {
    gzip(folder.resolve("a.jsonl.gz"), "{\"text\":\"zipped\"}\n");
    Files.write(
        folder.resolve("b.txt.zst"), Zstd.compress("facebook's".getBytes(StandardCharsets.UTF_8)));
    gzip(folder.resolve("c.gz"), "plain");
    assertThat(read(folder.toString()))
        .containsExactly(
            new Document("a.jsonl.gz#1", "zipped"),
            new Document("b.txt.zst", "facebook's"),
            new Document("c.gz", "plain"));
  }

  @Test
  void readsThePlatformsOwnSources() {
    List<Document> documents = read("jdk:src/java.base/java/util/L*.java");
    assertThat(documents).extracting(Document::id).contains("java.base/java/util/List.java");
    assertThat(documents).allSatisfy(d -> assertThat(d.text()).contains("package java.util;"));
    try (DataSource all = DataSource.open(SourceSpec.of("jdk:src"))) {
      assertThat(all.files()).isGreaterThan(5000);
      assertThat(all.bytes()).isGreaterThan(50_000_000);
    }
  }

  @Test
  void concatenatesSourcesInTheirOrder() throws IOException {
    Path second = write(folder.resolve("a.txt"), "second");
    Path first = write(folder.resolve("b.txt"), "first");
    try (Corpus corpus =
        Corpus.open(List.of(SourceSpec.of(first.toString()), SourceSpec.of(second.toString())))) {
      try (DocumentReader reader = corpus.reader()) {
        assertThat(reader.next()).isNotNull().returns("b.txt", PendingDocument::id);
        assertThat(reader.next()).isNotNull().returns("a.txt", PendingDocument::id);
        assertThat(reader.next()).isNull();
      }
      assertThat(corpus.bytes()).isEqualTo(11);
      assertThat(corpus.describe()).isEqualTo(first + ", " + second);
    }
  }

  @Test
  void fingerprintFollowsContentAndOptionsButNotThePlace() throws IOException {
    Path one = zip(folder.resolve("one.zip"), Map.of("a.txt", "text"));
    Path same = zip(folder.resolve("same.zip"), Map.of("a.txt", "text"));
    Path other = zip(folder.resolve("other.zip"), Map.of("a.txt", "texT"));
    SourceSpec spec = SourceSpec.of(one.toString());
    assertThat(fingerprint(SourceSpec.of(same.toString()))).isEqualTo(fingerprint(spec));
    assertThat(fingerprint(SourceSpec.of(other.toString()))).isNotEqualTo(fingerprint(spec));
    assertThat(fingerprint(spec.withBadDocuments(BadDocuments.SKIP)))
        .isNotEqualTo(fingerprint(spec));
    assertThat(fingerprint(spec.withContent(new RecordContent.WholeRecord())))
        .isNotEqualTo(fingerprint(spec));
  }

  private static String fingerprint(SourceSpec spec) {
    try (DataSource source = DataSource.open(spec)) {
      return source.fingerprint();
    }
  }
}
