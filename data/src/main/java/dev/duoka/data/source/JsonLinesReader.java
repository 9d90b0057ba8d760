package dev.duoka.data.source;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One JSON object a line; blank lines are passed over. Only splits lines: parsing comes later. */
final class JsonLinesReader implements DocumentReader {
  private static final int LONGEST_LINE = 1 << 29;

  private final SourceFile file;
  private final ReadOptions options;
  private final InputStream stream;
  private byte[] buffer = new byte[1 << 18];
  private int position;
  private int limit;
  private long bufferOffset;
  private long line;
  private boolean end;

  JsonLinesReader(SourceFile file, ReadOptions options) throws IOException {
    this.file = file;
    this.options = options;
    this.stream = options.open(file);
  }

  @Override
  public @Nullable PendingDocument next() {
    try {
      while (true) {
        int newline = findNewline();
        if (newline < 0 && position == limit) {
          return null;
        }
        int lineEnd = newline < 0 ? limit : newline;
        int from = line == 0 ? afterByteOrderMark() : position;
        byte[] bytes = Arrays.copyOfRange(buffer, from, lineEnd);
        long offset = bufferOffset + from;
        position = newline < 0 ? limit : newline + 1;
        line++;
        if (!isBlank(bytes)) {
          return pending(bytes, offset, line);
        }
      }
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    }
  }

  private PendingDocument pending(byte[] bytes, long offset, long lineNumber) {
    String place = " line " + lineNumber;
    return options.pending(
        file.id() + "#" + lineNumber,
        file.displayName() + place,
        bytes.length,
        () -> {
          String json = Utf8.decode(bytes, 0, bytes.length);
          if (json == null) {
            long malformed = Utf8.firstMalformed(bytes, 0, bytes.length);
            throw SourceErrors.badUtf8(file, place, offset + malformed);
          }
          return JsonRecords.text(file, place, json, options.content());
        });
  }

  /** Index of the next newline, or -1 if the rest of the file has none. */
  private int findNewline() throws IOException {
    int scan = position;
    while (true) {
      for (; scan < limit; scan++) {
        if (buffer[scan] == '\n') {
          return scan;
        }
      }
      if (end) {
        return -1;
      }
      int scanned = scan - position;
      fill();
      scan = position + scanned;
    }
  }

  private void fill() throws IOException {
    if (position > 0) {
      System.arraycopy(buffer, position, buffer, 0, limit - position);
      bufferOffset += position;
      limit -= position;
      position = 0;
    }
    if (limit == buffer.length) {
      if (limit >= LONGEST_LINE) {
        throw new DuokaException(
            ErrorCode.DATA,
            "%s line %d is longer than %s"
                .formatted(file.displayName(), line + 1, ByteSize.text(LONGEST_LINE)),
            "Write one JSON object per line; for one large JSON array use format: json.");
      }
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int read = stream.read(buffer, limit, buffer.length - limit);
    end = read < 0;
    limit += Math.max(0, read);
  }

  private int afterByteOrderMark() {
    boolean marked =
        limit - position >= 3
            && buffer[position] == (byte) 0xEF
            && buffer[position + 1] == (byte) 0xBB
            && buffer[position + 2] == (byte) 0xBF;
    return marked ? position + 3 : position;
  }

  private static boolean isBlank(byte[] bytes) {
    for (byte b : bytes) {
      if (b != ' ' && b != '\t' && b != '\r') {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    try {
      stream.close();
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    }
  }
}
