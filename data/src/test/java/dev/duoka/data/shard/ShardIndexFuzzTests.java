package dev.duoka.data.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardIndexFuzzTests {
  private static final String[] NUMBERS = {
    "-1", "0", "9223372036854775807", "281474976710656", "1e999", "1.5", "null", "{}", "99999"
  };

  private static final Pattern NUMBER = Pattern.compile("(?<=: )\\d+");

  @TempDir Path folder;

  @Test
  void everyMutationIsReadOrCalledDamaged() throws IOException {
    TokenShards whole = Corpora.shards(folder, ByteEncoders.masked(), Corpora.texts(1, 40, 40));
    Path shards = folder.resolve("cache").resolve(whole.key());
    Path index = shards.resolve(ShardIndex.FILE_NAME);
    byte[] bytes = Files.readAllBytes(index);
    Random random = new Random(42);
    int damaged = 0;
    for (int trial = 0; trial < 2000; trial++) {
      Files.write(index, mutate(bytes, random));
      try {
        TokenShards read = TokenShards.open(shards, whole.key());
        int[] tokens = new int[(int) read.tokens()];
        read.copyTokens(0, tokens, 0, tokens.length);
        assertThat(read.documentStart(read.documents())).isEqualTo(read.tokens());
      } catch (DamagedShardException _) {
        damaged++;
      }
    }
    assertThat(damaged).isGreaterThan(1000);
  }

  @Test
  void refusesAnIndexThatClaimsMoreThanItsFiles() throws Exception {
    TokenShards whole = Corpora.shards(folder, ByteEncoders.plain(), Corpora.texts(1, 40, 40));
    Path shards = folder.resolve("cache").resolve(whole.key());
    Path index = shards.resolve(ShardIndex.FILE_NAME);
    String text = Files.readString(index);
    Files.writeString(
        index, text.replace("\"tokens\" : " + whole.tokens(), "\"tokens\" : 200000000000000"));
    assertThatThrownBy(() -> TokenShards.open(shards, whole.key()))
        .isInstanceOf(DamagedShardException.class)
        .hasMessageContaining("more tokens than its files hold");
    Files.writeString(index, text);
    assertThatThrownBy(() -> TokenShards.open(shards, "0".repeat(32)))
        .hasMessageContaining("belongs to other data");
  }

  private static byte[] mutate(byte[] bytes, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> {
        byte[] copy = bytes.clone();
        for (int i = 0; i <= random.nextInt(4); i++) {
          copy[random.nextInt(copy.length)] = (byte) random.nextInt(256);
        }
        yield copy;
      }
      case 1 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 2 -> {
        String text = new String(bytes, StandardCharsets.UTF_8);
        List<MatchResult> numbers = NUMBER.matcher(text).results().toList();
        MatchResult number = numbers.get(random.nextInt(numbers.size()));
        String other = NUMBERS[random.nextInt(NUMBERS.length)];
        yield (text.substring(0, number.start()) + other + text.substring(number.end()))
            .getBytes(StandardCharsets.UTF_8);
      }
      default -> {
        int from = random.nextInt(bytes.length);
        int to = Math.min(bytes.length, from + random.nextInt(40));
        byte[] shorter = Arrays.copyOf(bytes, bytes.length - (to - from));
        System.arraycopy(bytes, to, shorter, from, bytes.length - to);
        yield shorter;
      }
    };
  }
}
