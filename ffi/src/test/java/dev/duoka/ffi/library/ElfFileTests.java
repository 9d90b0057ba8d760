package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.torch.LibTorch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ElfFileTests {
  @TempDir Path folder;

  private static Path library() {
    return LibTorch.load().folder().resolve("libc10.so");
  }

  @Test
  void aWholeLibraryHasNoProblem() throws IOException {
    assertThat(ElfFile.problem(library())).isEmpty();
  }

  @Test
  void oneThatIsCutOffIsFoundOut() throws IOException {
    byte[] whole = Files.readAllBytes(library());
    Path file = folder.resolve("cut.so");
    for (int length : new int[] {whole.length - 1, whole.length / 2, 4096, 100, 64}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThat(ElfFile.problem(file).orElseThrow())
          .startsWith("it is cut off: it has " + length + " bytes and its headers name ");
    }
  }

  @Test
  void whatIsNoLibraryIsFoundOut() throws IOException {
    for (String text : new String[] {"", "junk", "\u007fELF", "<html>".repeat(100)}) {
      Path file = Files.writeString(folder.resolve("text.so"), text);
      assertThat(ElfFile.problem(file).orElseThrow()).startsWith("it is no shared library");
    }
  }

  /** Any bytes in the header end in an answer. */
  @Test
  void anyHeaderEndsInAnAnswer() throws IOException {
    Random random = new Random(5);
    byte[] start = Arrays.copyOf(Files.readAllBytes(library()), 4096);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = start.clone();
      for (int change = 0; change < 4; change++) {
        bytes[16 + random.nextInt(48)] = (byte) random.nextInt();
      }
      Path file = Files.write(folder.resolve("random.so"), bytes);
      assertThat(ElfFile.problem(file)).isNotNull();
    }
  }
}
