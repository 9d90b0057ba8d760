package dev.duoka.diagnosis.log;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/**
 * One log: a file, compressed by gzip or not, or a stream that is already open.
 *
 * @param name what reports call it
 */
public record LogSource(String name, Opening opening) {
  private static final Pattern RANK_IN_NAME =
      Pattern.compile(
          "(?:^|[/_.-])rank[_-]?(\\d{1,5})(?=[/_.-]|$)|/(\\d{1,5})/std(?:err|out)\\.log");

  private static final int GZIP_BUFFER = 1 << 16;

  /** Opens the bytes of a log. */
  @FunctionalInterface
  public interface Opening {
    /** The bytes from the start. */
    InputStream open() throws IOException;
  }

  /** A file. */
  public static LogSource file(Path file) {
    return new LogSource(file.toString(), () -> Files.newInputStream(file));
  }

  /** The log's text, decompressed where it starts like a gzip file. */
  public InputStream open() {
    try {
      InputStream bytes = new BufferedInputStream(opening.open(), GZIP_BUFFER);
      bytes.mark(2);
      boolean gzip = bytes.read() == 0x1f && bytes.read() == 0x8b;
      bytes.reset();
      return gzip ? new GZIPInputStream(bytes, GZIP_BUFFER) : bytes;
    } catch (IOException e) {
      throw cannotRead(e);
    }
  }

  /** The rank that the file's name speaks of, as in {@code rank3.log} or {@code 3/stderr.log}. */
  public OptionalInt rank() {
    Matcher m = RANK_IN_NAME.matcher(name);
    if (!m.find()) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(Integer.parseInt(m.group(1) == null ? m.group(2) : m.group(1)));
  }

  DuokaException cannotRead(IOException e) {
    return new DuokaException(
        ErrorCode.USAGE,
        "cannot read " + name + ": " + e,
        "Check that it is a readable log file.",
        e);
  }
}
