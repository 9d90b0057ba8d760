package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.setaside.MetricsCut;
import dev.duoka.train.snapshot.RunFileNames;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code metrics.jsonl}: one JSON object per step, and one per validation. When a run resumes, the
 * lines after its checkpoint are dropped, so that no step is there twice.
 *
 * <p>The thread that trains only hands its numbers over; a thread of its own writes them. A disk
 * that is full, or does not answer, holds no step up: of what is handed over {@value #MOST_QUEUED}
 * lines wait at most, and {@value #MOST_WAITING} bytes of those that are written out, until there
 * is room again; then the oldest are lost.
 */
final class MetricsFile implements AutoCloseable {
  static final String NAME = RunFileNames.METRICS;

  /** Some ten thousand steps. */
  static final int MOST_WAITING = 8 << 20;

  /** Lines that are handed over and not yet looked at. */
  static final int MOST_QUEUED = 4096;

  private static final long SETTLE_MILLISECONDS = 2000;
  private static final long LAST_MILLISECONDS = 10_000;

  private record Line(Supplier<ObjectNode> content, double time) {}

  private final SeekableByteChannel file;
  private final Thread writer;
  private final Object lock = new Object();

  /** What is handed over; like the next three guarded by {@link #lock}. */
  private final Deque<Line> queue = new ArrayDeque<>();

  private long dropped;
  private boolean writing;
  private boolean closing;
  private final Consumer<String> notice;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long lost;
  private boolean failing;

  /** Writes at the end of {@code file}. */
  MetricsFile(SeekableByteChannel file, Consumer<String> notice) {
    this.file = file;
    this.notice = notice;
    this.writer = Thread.ofPlatform().daemon().name("metrics").start(this::writeOn);
  }

  /**
   * Opens the file of a run that has taken {@code steps} steps so far.
   *
   * @param notice hears once that lines cannot be written, and once that they can again
   */
  static MetricsFile open(Path runDir, long steps, Consumer<String> notice) {
    Path path = runDir.resolve(NAME);
    try {
      MetricsCut.keepUpTo(path, steps);
      FileChannel file =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      file.position(file.size());
      return new MetricsFile(file, notice);
    } catch (IOException e) {
      throw cannotWrite(path, e);
    }
  }

  void step(StepMetrics metrics) {
    handOver(() -> MetricsLine.of(metrics));
  }

  void validation(long step, ValidationResult result) {
    handOver(() -> MetricsLine.ofValidation(step, result));
  }

  private void handOver(Supplier<ObjectNode> content) {
    Line line = new Line(content, System.currentTimeMillis() * 1e-3);
    synchronized (lock) {
      if (queue.size() == MOST_QUEUED) {
        queue.remove();
        dropped++;
      }
      queue.add(line);
      lock.notifyAll();
    }
  }

  /** How many lines nobody has looked at yet. */
  int queued() {
    synchronized (lock) {
      return queue.size();
    }
  }

  /**
   * Waits until what was handed over so far is written or is known not to be, two seconds at most.
   */
  void settle() {
    long end = System.nanoTime() + SETTLE_MILLISECONDS * 1_000_000L;
    synchronized (lock) {
      try {
        while ((writing || !queue.isEmpty()) && System.nanoTime() - end < 0) {
          lock.wait(Math.max(1, (end - System.nanoTime()) / 1_000_000L));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void writeOn() {
    List<Line> lines = new ArrayList<>();
    while (take(lines)) {
      lines.forEach(this::write);
      lines.clear();
    }
  }

  /** Takes all that is there, and waits until there is some; false when there will be no more. */
  private boolean take(List<Line> lines) {
    synchronized (lock) {
      writing = false;
      lock.notifyAll();
      try {
        while (queue.isEmpty() && !closing) {
          lock.wait();
        }
      } catch (InterruptedException e) {
        return false; // nobody does
      }
      writing = true;
      lines.addAll(queue);
      queue.clear();
      lost += dropped;
      dropped = 0;
      return !lines.isEmpty();
    }
  }

  private void write(Line handed) {
    ObjectNode line = handed.content().get();
    line.put("time", handed.time());
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
      if (failing || lost > 0) {
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

  /** Lets the thread end; false when it does not, and the file is still its own. */
  private boolean isWritten() {
    synchronized (lock) {
      closing = true;
      lock.notifyAll();
    }
    boolean interrupted = false;
    boolean ended = false;
    long end = System.nanoTime() + LAST_MILLISECONDS * 1_000_000L;
    while (!ended && System.nanoTime() - end < 0) {
      try {
        ended = writer.join(Duration.ofMillis(LAST_MILLISECONDS));
      } catch (InterruptedException e) {
        interrupted = true; // what is there is written all the same
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return ended;
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
    if (!isWritten()) {
      notice.accept(
          "the disk does not answer: the last lines of " + NAME + " may not have been written");
      return;
    }
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
