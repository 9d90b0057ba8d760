package dev.duoka.diagnosis.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LogSourcesTests {
  @TempDir private Path folder = Path.of("");

  private static List<LogSource> of(String... arguments) {
    return LogSources.of(List.of(arguments), InputStream.nullInputStream());
  }

  @Test
  void aFolderGivesItsLogsAndNoWeights() throws IOException {
    Files.createDirectories(folder.resolve("rank1"));
    Path log = Files.writeString(folder.resolve("rank1/out.txt"), "hello\n");
    Files.writeString(folder.resolve("model.safetensors"), "weights");
    Files.write(folder.resolve("core"), new byte[] {1, 0, 2});
    assertThat(of(folder.toString())).extracting(LogSource::name).containsExactly(log.toString());
  }

  @Test
  void aLogThatIsNamedTwiceIsReadOnce() throws IOException {
    Path log = Files.writeString(folder.resolve("a.log"), "hello\n");
    assertThat(of(log.toString(), folder.toString())).hasSize(1);
  }

  @Test
  void mistakesAreUsageErrors() {
    for (String argument : List.of(folder.resolve("missing.log").toString(), folder.toString())) {
      assertThatExceptionOfType(DuokaException.class)
          .isThrownBy(() -> of(argument))
          .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.USAGE));
    }
    assertThatExceptionOfType(DuokaException.class).isThrownBy(() -> of("-", "-"));
  }

  @Test
  void textInTheEncodingsOfWindowsIsRead() throws IOException {
    String text = "RuntimeError: CUDA error: invalid device ordinal \ud83d\ude00\n".repeat(2000);
    for (Charset charset : List.of(StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
      for (String mark : List.of("\ufeff", "")) {
        Path log = Files.write(folder.resolve("w.log"), (mark + text).getBytes(charset));
        try (InputStream bytes = of(folder.toString()).getFirst().open()) {
          assertThat(new String(bytes.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(text);
        }
        assertThat(of(log.toString())).hasSize(1);
      }
    }
  }

  @Test
  void binaryDataIsRefusedByItsName() throws IOException {
    byte[] noise = new byte[5000];
    new Random(5).nextBytes(noise);
    Path file = Files.write(folder.resolve("data"), noise);
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> of(file.toString()).getFirst().open())
        .withMessageContaining("is binary data, not a log");
  }
}
