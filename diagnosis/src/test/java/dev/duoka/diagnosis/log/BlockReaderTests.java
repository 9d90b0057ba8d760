package dev.duoka.diagnosis.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

final class BlockReaderTests {
  private static LogSource source(byte[] bytes) {
    return new LogSource("test", () -> new ByteArrayInputStream(bytes));
  }

  private static List<String> blocks(byte[] bytes, int size) {
    List<String> blocks = new ArrayList<>();
    try (BlockReader reader = new BlockReader(source(bytes), size)) {
      for (Optional<TextBlock> b = reader.next(); b.isPresent(); b = reader.next()) {
        blocks.add(new String(b.get().bytes(), 0, b.get().length(), StandardCharsets.UTF_8));
      }
    }
    return blocks;
  }

  @Test
  void blocksEndWithLinesAndLoseNothing() {
    Random random = new Random(5);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 2000; i++) {
      text.append("l".repeat(random.nextInt(200))).append(random.nextInt(9) == 0 ? "\r" : "\n");
    }
    List<String> blocks = blocks(text.toString().getBytes(StandardCharsets.UTF_8), 2048);
    assertThat(String.join("", blocks)).isEqualTo(text.toString());
    assertThat(blocks.subList(0, blocks.size() - 1))
        .allMatch(b -> b.endsWith("\n") || b.endsWith("\r"));
  }

  @Test
  void piecesOfAGiganticLineOverlap() {
    List<String> blocks = blocks("z".repeat(10_000).getBytes(StandardCharsets.UTF_8), 2048);
    assertThat(blocks.stream().mapToInt(String::length).sum())
        .isEqualTo(10_000 + (blocks.size() - 1) * BlockReader.OVERLAP);
  }

  @Test
  void gzipIsReadAndATruncatedOneAsFarAsItGoes() throws IOException {
    StringBuilder text = new StringBuilder();
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      text.append(random.nextLong()).append('\n');
    }
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(text.toString().getBytes(StandardCharsets.UTF_8));
    }
    byte[] whole = packed.toByteArray();
    assertThat(String.join("", blocks(whole, 1 << 16))).isEqualTo(text.toString());
    String cut = String.join("", blocks(Arrays.copyOf(whole, whole.length / 2), 1 << 16));
    assertThat(cut).isNotEmpty();
    assertThat(text.toString()).startsWith(cut);
  }

  @Test
  void anEmptyLogHasNoBlocks() {
    assertThat(blocks(new byte[0], 2048)).isEmpty();
  }
}
