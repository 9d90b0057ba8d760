package dev.duoka.diagnosis.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * The UTF-8 bytes of a UTF-16 text, as Windows shells write it; what is not valid becomes U+FFFD.
 */
final class Utf16Stream extends InputStream {
  private static final int CHARS = 1 << 14;
  private static final char MARK = '\ufeff';

  private final Reader reader;
  private final char[] chars = new char[CHARS];
  private byte[] bytes = new byte[0];
  private int at;

  Utf16Stream(InputStream stream, Charset charset) {
    this.reader = new InputStreamReader(stream, charset);
  }

  @Override
  public int read() throws IOException {
    return fill() ? bytes[at++] & 0xff : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, bytes.length - at);
    System.arraycopy(bytes, at, target, offset, count);
    at += count;
    return count;
  }

  private boolean fill() throws IOException {
    while (at == bytes.length) {
      // One place stays free for the second half of a surrogate pair.
      int count = reader.read(chars, 0, CHARS - 1);
      if (count < 0) {
        return false;
      }
      if (count > 0 && Character.isHighSurrogate(chars[count - 1])) {
        int low = reader.read();
        if (low >= 0) {
          chars[count++] = (char) low;
        }
      }
      int from = count > 0 && chars[0] == MARK ? 1 : 0;
      bytes = new String(chars, from, count - from).getBytes(StandardCharsets.UTF_8);
      at = 0;
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
