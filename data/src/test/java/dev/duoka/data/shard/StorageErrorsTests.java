package dev.duoka.data.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class StorageErrorsTests {
  private static final Path CACHE = Path.of("cache");

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux has /dev/full")
  void knowsAFullDisk() {
    IOException full =
        catchThrowableOfType(
            IOException.class, () -> Files.write(Path.of("/dev/full"), new byte[1]));
    assertThat(StorageErrors.of("cannot write", CACHE, full))
        .hasMessageContaining("cannot write cache: the file system is full. Free space")
        .returns(ErrorCode.NO_SPACE, e -> e.code());
  }

  @Test
  void namesOtherFailures() {
    assertThat(StorageErrors.of("cannot write", CACHE, new IOException("stale handle")))
        .hasMessageContaining("IOException (stale handle)")
        .returns(ErrorCode.IO, e -> e.code());
  }
}
