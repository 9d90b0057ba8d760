package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code metrics.jsonl}: one JSON object per step, and one per validation. When a run resumes, the
 * lines after its checkpoint are dropped, so that no step is there twice.
 *
 * <p>A disk that is full does not stop the run: lines wait in memory, up to {@value #MOST_WAITING}
 * bytes of them, until there is room again.
 */
final class MetricsFile implements AutoCloseable {
  static final String NAME = "metrics.jsonl";

  /** Some ten thousand steps. */
  static final int MOST_WAITING = 8 << 20;

  private final SeekableByteChannel file;
  private final Consumer<String> notice;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long lost;
  private boolean failing;

  /** Writes at the end of {@code file}. */
  MetricsFile(SeekableByteChannel file, Consumer<String> notice) {
    this.file = file;
    this.notice = notice;
  }

  /**
   * Opens the file of a run that has taken {@code steps} steps so far.
   *
   * @param notice hears once that lines cannot be written, and once that they can again
   */
  static MetricsFile open(Path runDir, long steps, Consumer<String> notice) {
    Path path = runDir.resolve(NAME);
    try {
      dropAfter(path, steps);
      FileChannel file =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      file.position(file.size());
      return new MetricsFile(file, notice);
    } catch (IOException e) {
      throw cannotWrite(path, e);
    } catch (UncheckedIOException e) {
      throw cannotWrite(path, Objects.requireNonNull(e.getCause()));
    }
  }

  private static void dropAfter(Path path, long steps) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    Path kept = path.resolveSibling(NAME + ".tmp");
    try (Stream<String> lines = Files.lines(path)) {
      Files.write(kept, lines.filter(line -> stepOf(line) <= steps).toList());
    }
    Files.move(kept, path, StandardCopyOption.REPLACE_EXISTING);
  }

  /** A line that is cut short, by a crash say, belongs to no step and is dropped. */
  private static long stepOf(String line) {
    try {
      JsonNode node = Json.parse(line.getBytes(StandardCharsets.UTF_8), NAME, ErrorCode.FORMAT);
      return node.path("step").asLong(Long.MAX_VALUE);
    } catch (DuokaException e) {
      return Long.MAX_VALUE;
    }
  }

  void step(StepMetrics metrics) {
    write(MetricsLine.of(metrics));
  }

  void validation(long step, double loss) {
    write(MetricsLine.ofValidation(step, loss));
  }

  private void write(ObjectNode line) {
    line.put("time", System.currentTimeMillis() * 1e-3);
    byte[] bytes = (Json.line(line) + "\n").getBytes(StandardCharsets.UTF_8);
    waiting.add(bytes);
    waitingBytes += bytes.length;
    while (waitingBytes > MOST_WAITING) {
      waitingBytes -= waiting.remove().length;
      lost++;
    }
    writeWaiting();
  }

  private void writeWaiting() {
    try {
      while (!waiting.isEmpty()) {
        append(waiting.element());
        waitingBytes -= waiting.remove().length;
      }
      if (failing) {
        notice.accept(
            NAME + " can be written again" + (lost == 0 ? "" : "; " + lost + " lines are lost"));
        failing = false;
        lost = 0;
      }
    } catch (IOException e) {
      if (!failing) {
        notice.accept(
            "cannot write "
                + NAME
                + ": "
                + IoReason.of(e)
                + ". The run goes on and keeps the lines until there is room");
        failing = true;
      }
    }
  }

  /** Writes a line whole or not at all. */
  private void append(byte[] line) throws IOException {
    long start = file.position();
    ByteBuffer buffer = ByteBuffer.wrap(line);
    boolean whole = false;
    try {
      while (buffer.hasRemaining()) {
        file.write(buffer);
      }
      whole = true;
    } finally {
      if (!whole) {
        file.truncate(start);
        file.position(start);
      }
    }
  }

  private static DuokaException cannotWrite(Path file, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot write " + file + ": " + IoReason.of(e),
        "Check the disk, then resume from the last checkpoint",
        e);
  }

  @Override
  public void close() {
    writeWaiting();
    if (!waiting.isEmpty()) {
      notice.accept((waiting.size() + lost) + " lines of " + NAME + " could not be written");
    }
    try {
      file.close();
    } catch (IOException e) {
      notice.accept("cannot close " + NAME + ": " + IoReason.of(e));
    }
  }
}
