package dev.duoka.diagnosis.log;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.OrdinaryFile;
import dev.duoka.base.PipeStream;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

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
  private static final long LARGEST_PIPE = 1L << 30;

  /** Opens the bytes of a log. */
  @FunctionalInterface
  public interface Opening {
    /** The bytes from the start. */
    InputStream open() throws IOException;
  }

  /**
   * A file, or a pipe, which is read for so long and so far alone.
   *
   * @throws DuokaException where it is a device or a socket
   */
  public static LogSource file(Path file) {
    OrdinaryFile.requireThisOrPipe(file, ErrorCode.USAGE);
    return new LogSource(
        file.toString(),
        () ->
            OrdinaryFile.isPipe(file)
                ? PipeStream.open(file, ErrorCode.USAGE, LARGEST_PIPE)
                : Files.newInputStream(file));
  }

  /** The log's text as UTF-8, decompressed where it starts like a gzip file. */
  public InputStream open() {
    try {
      InputStream bytes = new BufferedInputStream(opening.open(), GZIP_BUFFER);
      bytes.mark(2);
      boolean gzip = bytes.read() == 0x1f && bytes.read() == 0x8b;
      bytes.reset();
      InputStream text =
          gzip
              ? new BufferedInputStream(new GZIPInputStream(bytes, GZIP_BUFFER), GZIP_BUFFER)
              : bytes;
      return decoded(text);
    } catch (IOException e) {
      throw cannotRead(e);
    }
  }

  private InputStream decoded(InputStream bytes) throws IOException {
    bytes.mark(TextKind.SAMPLE);
    byte[] sample;
    try {
      sample = bytes.readNBytes(TextKind.SAMPLE);
    } catch (EOFException e) {
      // Cut off within the sample: what is readable is read below.
      sample = new byte[0];
    }
    bytes.reset();
    return switch (TextKind.of(sample)) {
      case UTF_8 -> bytes;
      case UTF_16_LITTLE -> new Utf16Stream(bytes, StandardCharsets.UTF_16LE);
      case UTF_16_BIG -> new Utf16Stream(bytes, StandardCharsets.UTF_16BE);
      case BINARY ->
          throw new DuokaException(
              ErrorCode.USAGE,
              name + " is binary data, not a log",
              "Give the text that the program printed (UTF-8 or UTF-16, also .gz).");
    };
  }

  /** The rank that the file's name speaks of, as in {@code rank3.log} or {@code 3/stderr.log}. */
  public OptionalInt rank() {
    Matcher m = RANK_IN_NAME.matcher(name);
    if (!m.find()) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(Integer.parseInt(m.group(1) == null ? m.group(2) : m.group(1)));
  }

  /** What went wrong in words: messages of the library are often only the path. */
  static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "there is no such file";
      case AccessDeniedException _ -> "permission denied";
      case EOFException _ -> "the compressed data is cut off at the start";
      case ZipException _ -> "the compressed data is damaged";
      default -> e.getMessage() == null ? "the data cannot be read" : e.getMessage();
    };
  }

  DuokaException cannotRead(IOException e) {
    return new DuokaException(
        ErrorCode.USAGE,
        "cannot read " + name + ": " + reason(e),
        "Check that it is a readable log file.",
        e);
  }
}
