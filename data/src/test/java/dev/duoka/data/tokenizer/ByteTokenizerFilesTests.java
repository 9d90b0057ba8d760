package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The byte tokenizer's files against itself and the tokenizers library. */
class ByteTokenizerFilesTests {
  private static final long SEED = 99;

  @TempDir Path folder;

  @Test
  void filesGiveTheSameIds() throws IOException {
    for (Map.Entry<String, byte[]> file : ByteTokenizerFiles.files().entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
    ByteTokenizer bytes = new ByteTokenizer();
    Tokenizer files = Tokenizer.load(folder.toString());
    assertThat(files.vocabularySize()).isEqualTo(bytes.vocabularySize());
    assertThat(files.bosId()).isEqualTo(bytes.bosId());
    assertThat(files.eosId()).isEqualTo(bytes.eosId());
    assertThat(files.padId()).isEqualTo(bytes.padId());
    String json = Files.readString(folder.resolve("tokenizer.json"), StandardCharsets.UTF_8);
    Random random = new Random(SEED);
    try (Oracle oracle = new Oracle(json)) {
      for (int round = 0; round < 200; round++) {
        String text = RandomText.next(random);
        assertThat(files.encode(text)).as("seed %s: %s", SEED, text).isEqualTo(bytes.encode(text));
        assertThat(oracle.encode(text)).as("seed %s: %s", SEED, text).isEqualTo(bytes.encode(text));
        assertThat(oracle.encode(text, true)).isEqualTo(bytes.encodeWithSpecialTokens(text));
        assertThat(files.decode(bytes.encode(text))).isEqualTo(text);
      }
    }
  }
}
