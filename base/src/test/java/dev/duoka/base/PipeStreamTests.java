package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PipeStreamTests {
  @TempDir private Path folder;
  private Path pipe = Path.of("");
  private @Nullable Process writer;

  @BeforeEach
  void makePipe() throws IOException, InterruptedException {
    pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
  }

  @AfterEach
  void endWriter() {
    if (writer != null) {
      writer.descendants().forEach(ProcessHandle::destroyForcibly);
      writer.destroyForcibly();
    }
  }

  @Test
  void whatWasWrittenIsRead() throws IOException {
    write("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
    String text = read(1 << 20, PipeStream.LONGEST);
    assertThat(text).startsWith("line 0\nline 1\n").endsWith("\nline 19999\n").hasLineCount(20000);
  }

  @Test
  void anEmptyPipeIsEmpty() throws IOException {
    write(":");
    assertThat(read(10, PipeStream.LONGEST)).isEmpty();
  }

  @Test
  void asManyBytesAsAllowedAreNotTooMany() throws IOException {
    write("printf 0123456789");
    assertThat(read(10, PipeStream.LONGEST)).isEqualTo("0123456789");
  }

  @Test
  void aPipeThatGivesTooMuchIsRefused() throws IOException {
    write("exec yes");
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(1 << 20, PipeStream.LONGEST))
        .withMessageContaining("the pipe gives more than 1.00 MiB")
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA));
  }

  @Test
  void aPipeIntoWhichNobodyWritesEndsWithAMessage() {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(1 << 20, Duration.ofMillis(50)))
        .withMessageContaining("the pipe has not ended after");
  }

  @Test
  void aPipeThatDripsEndsWithAMessage() throws IOException {
    write("while echo x; do sleep 0.01; done");
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(1 << 20, Duration.ofMillis(300)))
        .withMessageContaining("the pipe has not ended after");
  }

  private void write(String script) throws IOException {
    writer = new ProcessBuilder("sh", "-c", "exec > \"$0\"; " + script, pipe.toString()).start();
  }

  private String read(long mostBytes, Duration longest) throws IOException {
    try (InputStream bytes = PipeStream.open(pipe, ErrorCode.DATA, mostBytes, longest)) {
      return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
