package dev.duoka.data.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Strict UTF-8: malformed bytes are found, never replaced. */
final class Utf8 {
  private static final int CHUNK = 1 << 16;

  private Utf8() {}

  /** The text, or null if a byte is malformed. */
  static @Nullable String decode(byte[] bytes, int from, int length) {
    // The JDK's own constructor is several times faster than a CharsetDecoder; it replaces
    // malformed input, so only a text with the replacement character needs the strict decoder.
    String text = new String(bytes, from, length, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') < 0 || firstMalformed(bytes, from, length) < 0) {
      return text;
    }
    return null;
  }

  /** Offset of the first malformed byte from {@code from}, or -1. */
  static long firstMalformed(byte[] bytes, int from, int length) {
    CharsetDecoder decoder = strictDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes, from, length);
    CharBuffer out = CharBuffer.allocate(CHUNK);
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (result.isError()) {
        return (long) in.position() - from;
      }
      if (result.isUnderflow()) {
        return -1;
      }
      out.clear();
    }
  }

  /** Offset of the first malformed byte of a stream, or -1. */
  static long firstMalformed(InputStream stream) throws IOException {
    CharsetDecoder decoder = strictDecoder();
    ByteBuffer in = ByteBuffer.allocate(CHUNK);
    CharBuffer out = CharBuffer.allocate(CHUNK);
    long consumed = 0;
    boolean end = false;
    while (true) {
      int read = stream.read(in.array(), in.position(), in.remaining());
      end |= read < 0;
      in.position(in.position() + Math.max(0, read)).flip();
      out.clear();
      CoderResult result = decoder.decode(in, out, end);
      if (result.isError()) {
        return consumed + in.position();
      }
      consumed += in.position();
      if (end && !in.hasRemaining()) {
        return -1;
      }
      in.compact();
    }
  }

  static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return true;
      }
    }
    return false;
  }

  static CharsetDecoder strictDecoder() {
    return StandardCharsets.UTF_8
        .newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT);
  }
}
