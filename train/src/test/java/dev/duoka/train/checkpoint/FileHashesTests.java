package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHashesTests {
  private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));

  @TempDir Path folder;

  private Path file = Path.of("");
  private Path kept = Path.of("");
  private FileHashes hashes = new FileHashes(Path.of(""));

  @BeforeEach
  void make() throws IOException {
    file = folder.resolve("model.safetensors");
    kept = folder.resolve("kept");
    hashes = new FileHashes(kept);
    write("weights", LONG_AGO);
  }

  private void write(String text, FileTime time) throws IOException {
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, time);
  }

  private static byte[] hashOf(String text) {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private List<Path> entries() throws IOException {
    if (!Files.exists(kept)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(kept)) {
      return files.toList();
    }
  }

  /** That nothing is read again is seen by what a changed note makes of the hash. */
  @Test
  void whatDidNotChangeIsNotReadAgain() throws IOException {
    assertThat(hashes.of(file)).isEqualTo(hashOf("weights"));
    Path entry = entries().getFirst();
    String note = Files.readString(entry);
    assertThat(new FileHashes(kept).of(file)).isEqualTo(hashOf("weights"));
    assertThat(Files.readString(entry)).isEqualTo(note);
    List<String> lines = note.lines().toList();
    String other = HexFormat.of().formatHex(hashOf("other"));
    String sum = HexFormat.of().formatHex(hashOf(lines.get(1) + other));
    Files.write(entry, List.of(lines.get(0), lines.get(1), other, sum));
    assertThat(hashes.of(file)).isEqualTo(hashOf("other"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    assertThat(hashes.of(link)).isEqualTo(hashOf("other"));
    assertThat(entries()).hasSize(1);
  }

  @Test
  void anotherSizeOrTimeIsHashedAgain() throws IOException {
    hashes.of(file);
    write("weights of more", LONG_AGO);
    assertThat(hashes.of(file)).isEqualTo(hashOf("weights of more"));
    write("weightS of more", FileTime.from(LONG_AGO.toInstant().plusMillis(1)));
    assertThat(hashes.of(file)).isEqualTo(hashOf("weightS of more"));
    assertThat(entries()).hasSize(1);
  }

  /** As copying tools do it: only the file's number and its last change of any kind tell. */
  @Test
  void anotherFileWithTheSameTimeAndSizeIsHashedAgain() throws IOException {
    hashes.of(file);
    Path other = folder.resolve("other");
    Files.writeString(other, "WEIGHTS");
    Files.setLastModifiedTime(other, LONG_AGO);
    Files.delete(file);
    Files.move(other, file);
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(LONG_AGO);
    assertThat(hashes.of(file)).isEqualTo(hashOf("WEIGHTS"));
  }

  @Test
  void aFileThatHasJustChangedIsNotKept() throws IOException {
    write("weights", FileTime.from(Instant.now()));
    assertThat(hashes.of(file)).isEqualTo(hashOf("weights"));
    assertThat(entries()).isEmpty();
  }

  @Test
  void aDamagedNoteIsMadeAgain() throws IOException {
    hashes.of(file);
    Path entry = entries().getFirst();
    String note = Files.readString(entry);
    for (String damaged : List.of("", "\u00ff", note.replace(note.lines().toList().get(2), "ab"))) {
      Files.writeString(entry, damaged);
      assertThat(hashes.of(file)).isEqualTo(hashOf("weights"));
      assertThat(Files.readString(entry)).isEqualTo(note);
    }
  }

  @Test
  void namesWhatCannotBeRead() {
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> hashes.of(missing))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(missing.toString());
  }
}
