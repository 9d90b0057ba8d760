package dev.duoka.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TarWriterTests {
  @Test
  void timesAndOwnersAreFixed() throws IOException {
    byte[] archive = archive("folder/file", "hello");
    try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(archive))) {
      TarArchiveEntry entry = tar.getNextEntry();
      assertThat(entry.getName()).isEqualTo("folder/file");
      assertThat(entry.getMode() & 0777).isEqualTo(0644);
      assertThat(entry.getLongUserId()).isZero();
      assertThat(entry.getUserName()).isEmpty();
      assertThat(entry.getLastModifiedTime().toInstant()).hasToString("2000-01-01T00:00:00Z");
      assertThat(new String(tar.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("hello");
      assertThat(tar.getNextEntry()).isNull();
    }
    assertThat(archive("folder/file", "hello")).isEqualTo(archive);
  }

  @Test
  void foldersAreEntriesOfTheirOwn() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarWriter tar = new TarWriter(bytes)) {
      tar.folder("folder");
    }
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      TarArchiveEntry entry = tar.getNextEntry();
      assertThat(entry.isDirectory()).isTrue();
      assertThat(entry.getMode() & 0777).isEqualTo(0755);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {99, 100, 101, 300})
  void longNamesArrive(int length) throws IOException {
    String path = "a".repeat(length / 2) + "/" + "b".repeat(length - length / 2 - 1);
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(archive(path, "x")))) {
      assertThat(tar.getNextEntry().getName()).isEqualTo(path);
    }
  }

  private static byte[] archive(String path, String content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarWriter tar = new TarWriter(bytes)) {
      tar.file(path, content.getBytes(StandardCharsets.UTF_8), false);
    }
    return bytes.toByteArray();
  }
}
