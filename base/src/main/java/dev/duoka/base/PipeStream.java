package dev.duoka.base;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads a pipe, and ends with a message where the pipe does not end: after a time, or after so many
 * bytes. Nothing can wake a thread that opens or reads a pipe into which nobody writes, so a daemon
 * thread does that; when the time is over it is left behind.
 */
public final class PipeStream extends InputStream {
  /** How long a pipe is read. */
  public static final Duration LONGEST = Duration.ofSeconds(60);

  private static final int PIECE = 1 << 16;
  private static final int WAITING_PIECES = 16;

  private final Path pipe;
  private final ErrorCode code;
  private final long mostBytes;
  private final Duration longest;
  private final long start = System.nanoTime();
  private final BlockingQueue<Piece> pieces = new ArrayBlockingQueue<>(WAITING_PIECES);
  private final Thread reader;
  private Piece piece = new Piece(new byte[0], null, false);
  private int at;
  private long read;

  /** Bytes; at the end the failure if there was one. */
  private static final class Piece {
    private final byte[] bytes;
    private final @Nullable IOException failure;
    private final boolean isEnd;

    Piece(byte[] bytes, @Nullable IOException failure, boolean isEnd) {
      this.bytes = bytes;
      this.failure = failure;
      this.isEnd = isEnd;
    }
  }

  private PipeStream(Path pipe, ErrorCode code, long mostBytes, Duration longest) {
    this.pipe = pipe;
    this.code = code;
    this.mostBytes = mostBytes;
    this.longest = longest;
    this.reader = Thread.ofPlatform().daemon().name("pipe reader").unstarted(this::readAll);
  }

  /**
   * Opens a pipe. Reading ends with a {@link DuokaException} where it gives more than that or goes
   * on for longer than {@link #LONGEST}.
   *
   * @param code of that error
   */
  public static InputStream open(Path pipe, ErrorCode code, long mostBytes) {
    return open(pipe, code, mostBytes, LONGEST);
  }

  static InputStream open(Path pipe, ErrorCode code, long mostBytes, Duration longest) {
    PipeStream stream = new PipeStream(pipe, code, mostBytes, longest);
    stream.reader.start();
    return stream;
  }

  private void readAll() {
    try {
      Piece end;
      try (InputStream bytes = Files.newInputStream(pipe)) {
        byte[] buffer = new byte[PIECE];
        for (int n = bytes.read(buffer); n >= 0; n = bytes.read(buffer)) {
          pieces.put(new Piece(Arrays.copyOf(buffer, n), null, false));
        }
        end = new Piece(new byte[0], null, true);
      } catch (IOException e) {
        end = new Piece(new byte[0], e, true);
      }
      pieces.put(end);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed: nobody wants the rest
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (at == piece.bytes.length && !piece.isEnd) {
      piece = next();
      at = 0;
      read += piece.bytes.length;
      if (read > mostBytes) {
        throw new DuokaException(
            code,
            "cannot read " + pipe + ": the pipe gives more than " + ByteSize.text(mostBytes),
            "Write what it gives into a file first, and name that.");
      }
    }
    if (piece.failure != null) {
      throw piece.failure;
    }
    if (piece.isEnd) {
      return -1;
    }
    int n = Math.min(length, piece.bytes.length - at);
    System.arraycopy(piece.bytes, at, target, offset, n);
    at += n;
    return n;
  }

  private Piece next() throws IOException {
    try {
      long left = longest.toNanos() - (System.nanoTime() - start);
      Piece next = pieces.poll(Math.max(0, left), TimeUnit.NANOSECONDS);
      if (next == null || (left <= 0 && !next.isEnd)) {
        throw new DuokaException(
            code,
            "cannot read "
                + pipe
                + ": the pipe has not ended after "
                + Plural.of(longest.toSeconds(), "second"),
            "Write what it gives into a file first, and name that.");
      }
      return next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading " + pipe);
    }
  }

  @Override
  public void close() {
    reader.interrupt();
  }
}
