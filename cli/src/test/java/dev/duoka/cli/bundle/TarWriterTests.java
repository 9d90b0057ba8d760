package dev.duoka.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class TarWriterTests {
  @Test
  void writesHeadersWithChecksumAndPadding() throws IOException {
    byte[] archive = archive("folder/file", "hello");

    assertThat(archive).hasSize(512 + 512 + 1024);
    assertThat(text(archive, 0, 11)).isEqualTo("folder/file");
    assertThat(text(archive, 100, 7)).isEqualTo("0000644");
    assertThat(text(archive, 124, 11)).isEqualTo("00000000005");
    assertThat(text(archive, 257, 5)).isEqualTo("ustar");
    assertThat(text(archive, 512, 5)).isEqualTo("hello");
    assertThat(Integer.parseInt(text(archive, 148, 6), 8)).isEqualTo(checksum(archive));
  }

  @Test
  void splitsLongPathsAtAFolder() throws IOException {
    String folder = "a".repeat(60) + "/" + "b".repeat(60);
    byte[] archive = archive(folder + "/" + "c".repeat(30), "x");

    assertThat(text(archive, 345, 60)).isEqualTo("a".repeat(60));
    assertThat(archive[345 + 60]).isZero();
    assertThat(text(archive, 0, 61)).isEqualTo("b".repeat(60) + "/");
    assertThatThrownBy(() -> archive("d".repeat(101), "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static byte[] archive(String path, String content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarWriter tar = new TarWriter(bytes)) {
      tar.file(path, content.getBytes(StandardCharsets.UTF_8), false);
    }
    return bytes.toByteArray();
  }

  private static String text(byte[] bytes, int offset, int length) {
    return new String(bytes, offset, length, StandardCharsets.UTF_8);
  }

  /** The sum of the header's bytes with blanks in place of the checksum itself. */
  private static int checksum(byte[] header) {
    int sum = 0;
    for (int i = 0; i < 512; i++) {
      sum += i >= 148 && i < 156 ? ' ' : Byte.toUnsignedInt(header[i]);
    }
    return sum;
  }
}
