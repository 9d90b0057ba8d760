package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IoReasonTests {
  @TempDir Path folder;

  @Test
  void saysWhyInsteadOfRepeatingThePath() throws IOException {
    Path absent = folder.resolve("a/b");
    assertThat(IoReason.of(failure(() -> Files.readString(absent))))
        .isEqualTo("there is no such file or folder");
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThat(IoReason.of(failure(() -> Files.createDirectory(file))))
        .isEqualTo("something of that name is in the way");
    assertThat(IoReason.of(failure(() -> Files.createDirectory(file.resolve("below")))))
        .isEqualTo("Not a directory");
  }

  @Test
  void knowsAFullDiskByTheSystemsWords() {
    IOException full = new IOException("No space left on device");
    assertThat(IoReason.isFull(full)).isTrue();
    assertThat(IoReason.of(full)).isEqualTo("the file system is full");
    assertThat(IoReason.isFull(new FileSystemException("a"))).isFalse();
    assertThat(IoReason.of(new IOException("odd"))).isEqualTo("IOException (odd)");
  }

  private interface Operation {
    void run() throws IOException;
  }

  private static IOException failure(Operation operation) {
    return catchThrowableOfType(IOException.class, operation::run);
  }
}
