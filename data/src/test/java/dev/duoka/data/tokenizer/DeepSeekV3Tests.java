package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** DeepSeek-V3's own tokenizer.json against the tokenizers library. */
class DeepSeekV3Tests {
  private static final Path FOLDER =
      Path.of(System.getProperty("duoka.repository", ".."), ".cache", "deepseek-v3");

  private static HfTokenizer tokenizer;
  private static Oracle oracle;

  @BeforeAll
  static void load() throws IOException {
    Path file = FOLDER.resolve("tokenizer.json");
    assumeTrue(
        Files.exists(file),
        () -> "skipped: " + file + " is not there; tools/fetch-test-data fetches it");
    tokenizer = HfTokenizer.read(FOLDER);
    oracle = new Oracle(Files.readString(file));
  }

  @AfterAll
  static void close() {
    if (oracle != null) {
      oracle.close();
    }
  }

  @Test
  void knowsItsSpecialTokens() {
    assertThat(tokenizer.vocabularySize()).isEqualTo(128_815);
    assertThat(tokenizer.bosId()).isZero();
    assertThat(tokenizer.eosId()).isEqualTo(1);
    assertThat(tokenizer.padId()).isEqualTo(1);
    assertThat(tokenizer.idOf("<｜User｜>")).isEqualTo(128_803);
    assertThat(tokenizer.isSpecial(1)).isTrue();
    assertThat(tokenizer.isSpecial(128_803)).isFalse();
    assertThat(tokenizer.encodeWithSpecialTokens("Hello")).hasSize(2).startsWith(0);
  }

  @Test
  void encodesJavaSourceAsTheLibraryDoes() throws IOException {
    String source = javaSource(1_000_000);
    for (int start = 0; start < source.length(); start += 50_000) {
      String part = source.substring(start, Math.min(source.length(), start + 50_000));
      int[] ids = tokenizer.encode(part);
      assertThat(ids).isEqualTo(oracle.encode(part));
      assertThat(tokenizer.decode(ids)).isEqualTo(part);
    }
  }

  @Test
  void encodesRandomTextAsTheLibraryDoes() {
    Random random = new Random(20260101);
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.next(random);
      int[] ids = tokenizer.encode(text);
      assertThat(ids).as("text %d of the seed: %s", i, text).isEqualTo(oracle.encode(text));
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }
  }

  @Test
  void decodesRandomIdsAsTheLibraryDoes() {
    Random random = new Random(20260102);
    for (int i = 0; i < 500; i++) {
      int[] ids = random.ints(random.nextInt(1, 40), 0, tokenizer.vocabularySize()).toArray();
      assertThat(tokenizer.decode(ids)).isEqualTo(oracle.decode(ids));
      StreamingDecoder stream = tokenizer.streamingDecoder();
      StringBuilder text = new StringBuilder();
      for (int id : ids) {
        text.append(stream.add(id));
      }
      assertThat(text.append(stream.finish())).hasToString(tokenizer.decode(ids));
    }
  }

  /** The beginning of the JDK's own source, at least that many characters. */
  static String javaSource(int length) throws IOException {
    Path zip = Path.of(System.getProperty("java.home"), "lib", "src.zip");
    assumeTrue(Files.exists(zip), () -> "skipped: this JDK has no " + zip);
    StringBuilder text = new StringBuilder();
    try (ZipFile source = new ZipFile(zip.toFile())) {
      Enumeration<? extends ZipEntry> entries = source.entries();
      while (entries.hasMoreElements() && text.length() < length) {
        ZipEntry entry = entries.nextElement();
        if (entry.getName().endsWith(".java")) {
          byte[] content = source.getInputStream(entry).readAllBytes();
          text.append(new String(content, StandardCharsets.UTF_8));
        }
      }
    }
    return text.toString();
  }
}
