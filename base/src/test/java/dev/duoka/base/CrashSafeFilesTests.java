package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrashSafeFilesTests {
  @TempDir Path folder;

  @Test
  void replacesAFileWhole() throws IOException {
    Path file = folder.resolve("a.txt");
    CrashSafeFiles.write(file, new byte[] {1, 2, 3});
    CrashSafeFiles.write(file, new byte[] {4});
    assertThat(Files.readAllBytes(file)).containsExactly(4);
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void deletesATree() throws IOException {
    Path deep = Files.createDirectories(folder.resolve("x/y"));
    Files.writeString(deep.resolve("z"), "z");
    CrashSafeFiles.deleteTree(folder.resolve("x"));
    CrashSafeFiles.deleteTree(folder.resolve("never there"));
    assertThat(folder.resolve("x")).doesNotExist();
  }
}
