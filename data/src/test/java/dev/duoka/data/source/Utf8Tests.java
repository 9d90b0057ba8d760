package dev.duoka.data.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class Utf8Tests {
  private static final String ALPHABET = "a é 文 \uD83D\uDE00 \uFFFD\n";

  @Test
  void agreesWithTheStrictDecoderOnMutatedText() throws IOException {
    Random random = new Random(3);
    int malformed = 0;
    for (int trial = 0; trial < 3000; trial++) {
      byte[] bytes = ALPHABET.repeat(1 + random.nextInt(3)).getBytes(StandardCharsets.UTF_8);
      for (int i = random.nextInt(3); i > 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      String expected = strict(bytes);
      assertThat(Utf8.decode(bytes, 0, bytes.length)).isEqualTo(expected);
      long at = Utf8.firstMalformed(bytes, 0, bytes.length);
      assertThat(at < 0).isEqualTo(expected != null);
      assertThat(Utf8.firstMalformed(new ByteArrayInputStream(bytes))).isEqualTo(at);
      if (at >= 0) {
        malformed++;
        // Up to that byte the text is whole, or ends within a character at most.
        assertThat(strict(Arrays.copyOf(bytes, (int) at))).isNotNull();
      }
    }
    assertThat(malformed).isBetween(500, 2900);
  }

  @Test
  void findsTheByteInALongStreamOfSmallReads() throws IOException {
    byte[] bytes = "文".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    InputStream trickle = new Trickle(bytes);
    assertThat(Utf8.firstMalformed(trickle)).isEqualTo(-1);
    bytes[200_000] = 'x';
    assertThat(Utf8.firstMalformed(new Trickle(bytes))).isEqualTo(199_998);
  }

  @Test
  void findsLoneSurrogates() {
    assertThat(Utf8.hasLoneSurrogate("a\uD83D\uDE00b")).isFalse();
    assertThat(Utf8.hasLoneSurrogate("a\uD83D")).isTrue();
    assertThat(Utf8.hasLoneSurrogate("\uDE00\uD83D")).isTrue();
  }

  private static @Nullable String strict(byte[] bytes) {
    try {
      return Utf8.strictDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      return null;
    }
  }

  private static final class Trickle extends ByteArrayInputStream {
    Trickle(byte[] bytes) {
      super(bytes);
    }

    @Override
    public synchronized int read(byte[] into, int at, int count) {
      return super.read(into, at, Math.min(count, 1000));
    }
  }
}
