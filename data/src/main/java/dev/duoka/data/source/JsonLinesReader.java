package dev.duoka.data.source;

import dev.duoka.base.ByteSize;
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
  private byte[] buffer;
  private int position;
  private int limit;
  private long bufferOffset;
  private long line;
  private boolean end;
  private final int longest;

  /** Whether the beginning of this line was dropped, since the line is too long to be held. */
  private boolean overlong;

  JsonLinesReader(SourceFile file, ReadOptions options) throws IOException {
    this(file, options, LONGEST_LINE);
  }

  /**
   * A reader.
   *
   * @param longest bytes of a line; of longer ones only is said that they are
   */
  JsonLinesReader(SourceFile file, ReadOptions options, int longest) throws IOException {
    this.longest = longest;
    this.buffer = new byte[Math.min(1 << 18, longest)];
    this.file = file;
    this.options = options;
    this.stream = options.open(file);
  }

  @Override
  public @Nullable PendingDocument next() {
    try {
      while (true) {
        int newline = findNewline();
        if (newline < 0 && position == limit && !overlong) {
          return null;
        }
        int lineEnd = newline < 0 ? limit : newline;
        int from = line == 0 ? afterByteOrderMark() : position;
        byte[] bytes = Arrays.copyOfRange(buffer, from, lineEnd);
        long offset = bufferOffset + from;
        position = newline < 0 ? limit : newline + 1;
        line++;
        if (overlong) {
          overlong = false;
          return tooLong(line);
        }
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

  private PendingDocument tooLong(long lineNumber) {
    String place = " line " + lineNumber;
    return options.pending(
        file.id() + "#" + lineNumber,
        file.displayName() + place,
        longest,
        () -> {
          throw new UnreadableDocumentException(
              SkipReason.TOO_LONG,
              file.displayName() + place + " is longer than " + ByteSize.text(longest),
              "Write one JSON object per line, set data.format to json for one large array, "
                  + SourceErrors.SKIP_REMEDY
                  + ".");
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
      scan = fill() ? position + scanned : position;
    }
  }

  /** Reads more; false where what was there is dropped because the line is too long. */
  private boolean fill() throws IOException {
    if (position > 0) {
      System.arraycopy(buffer, position, buffer, 0, limit - position);
      bufferOffset += position;
      limit -= position;
      position = 0;
    }
    boolean held = limit < longest;
    if (!held) {
      overlong = true;
      bufferOffset += limit;
      limit = 0;
    } else if (limit == buffer.length) {
      buffer = Arrays.copyOf(buffer, (int) Math.min(2L * buffer.length, longest));
    }
    int read = stream.read(buffer, limit, buffer.length - limit);
    end = read < 0;
    limit += Math.max(0, read);
    return held;
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
