package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTests {
  @TempDir Path folder;
  private final List<String> notices = new CopyOnWriteArrayList<>();

  /** A file on a disk that takes only so many bytes more. */
  private static final class SmallDisk implements SeekableByteChannel {
    private final SeekableByteChannel file;
    private volatile long room = Long.MAX_VALUE;
    private final CountDownLatch answers = new CountDownLatch(1);
    private volatile boolean isStuck;

    SmallDisk(Path path) throws IOException {
      file = Files.newByteChannel(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      if (isStuck) {
        try {
          answers.await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
      if (room == 0) {
        throw new IOException("No space left on device");
      }
      int count = (int) Math.min(room, source.remaining());
      file.write(source.slice(source.position(), count));
      source.position(source.position() + count);
      room -= count;
      return count;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      return file.read(target);
    }

    @Override
    public long position() throws IOException {
      return file.position();
    }

    @Override
    public SeekableByteChannel position(long position) throws IOException {
      file.position(position);
      return this;
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public SeekableByteChannel truncate(long size) throws IOException {
      file.truncate(size);
      return this;
    }

    @Override
    public boolean isOpen() {
      return file.isOpen();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  @Test
  void keepsLinesWhileTheDiskIsFullAndWritesThemLater() throws IOException {
    Path path = folder.resolve("metrics.jsonl");
    SmallDisk disk = new SmallDisk(path);
    try (MetricsFile metrics = new MetricsFile(disk, notices::add)) {
      metrics.validation(1, new ValidationResult(0.5, Map.of()));
      metrics.settle();
      disk.room = 7; // in the middle of the next line
      metrics.validation(2, new ValidationResult(0.5, Map.of()));
      metrics.validation(3, new ValidationResult(0.5, Map.of()));
      metrics.settle();
      assertThat(notices)
          .singleElement()
          .asString()
          .contains("cannot write metrics.jsonl: the file system is full. The run goes on");
      assertThat(steps(path)).containsExactly(1L);
      disk.room = Long.MAX_VALUE;
      metrics.validation(4, new ValidationResult(0.5, Map.of()));
    }
    assertThat(steps(path)).containsExactly(1L, 2L, 3L, 4L);
    assertThat(notices)
        .hasSize(2)
        .last()
        .asString()
        .isEqualTo("metrics.jsonl can be written again");
  }

  @Test
  void keepsOnlySoMuchAndSaysWhatIsLost() throws IOException {
    Path path = folder.resolve("metrics.jsonl");
    SmallDisk disk = new SmallDisk(path);
    disk.room = 0;
    long lines = MetricsFile.MOST_WAITING / 30;
    try (MetricsFile metrics = new MetricsFile(disk, notices::add)) {
      for (long step = 1; step <= lines; step++) {
        metrics.validation(step, new ValidationResult(0.123456789, Map.of()));
        if (step % 1000 == 0) {
          metrics.settle();
        }
      }
      metrics.settle();
      disk.room = Long.MAX_VALUE;
      metrics.validation(lines + 1, new ValidationResult(0.5, Map.of()));
    }
    List<Long> written = steps(path);
    long first = written.getFirst();
    assertThat(first).isGreaterThan(1);
    assertThat(written).isEqualTo(LongStream.rangeClosed(first, lines + 1).boxed().toList());
    assertThat(notices).last().asString().contains((first - 1) + " lines are lost");
  }

  /** As a network's file system that is gone: nobody waits for it, and memory has an end. */
  @Test
  @Timeout(120)
  void aDiskThatDoesNotAnswerHoldsNobodyUp() throws IOException {
    Path path = folder.resolve("metrics.jsonl");
    SmallDisk disk = new SmallDisk(path);
    disk.isStuck = true;
    long last = 5L * MetricsFile.MOST_QUEUED;
    try (MetricsFile metrics = new MetricsFile(disk, notices::add)) {
      metrics.validation(1, new ValidationResult(0.5, Map.of()));
      while (metrics.queued() > 0) { // until the writer has taken it to the disk, and waits there
        Thread.onSpinWait();
      }
      for (long step = 2; step <= last; step++) {
        metrics.validation(step, new ValidationResult(0.5, Map.of()));
      }
      assertThat(metrics.queued()).isEqualTo(MetricsFile.MOST_QUEUED);
      disk.isStuck = false;
      disk.answers.countDown();
    }
    List<Long> written = steps(path);
    assertThat(written).isSorted().doesNotHaveDuplicates().last().isEqualTo(last);
    assertThat(last - written.size()).isPositive();
    assertThat(notices)
        .singleElement()
        .asString()
        .isEqualTo(
            "metrics.jsonl can be written again; " + (last - written.size()) + " lines are lost");
  }

  @Test
  void saysAtTheEndWhatCouldNotBeWritten() throws IOException {
    SmallDisk disk = new SmallDisk(folder.resolve("metrics.jsonl"));
    disk.room = 0;
    try (MetricsFile metrics = new MetricsFile(disk, notices::add)) {
      metrics.validation(1, new ValidationResult(0.5, Map.of()));
    }
    assertThat(notices).hasSize(2).last().asString().contains("1 lines of metrics.jsonl");
  }

  @Test
  void resumingDropsTheStepsThatComeAgain() throws IOException {
    try (MetricsFile metrics = MetricsFile.open(folder, 0, notices::add)) {
      metrics.validation(1, new ValidationResult(0.5, Map.of()));
      metrics.validation(2, new ValidationResult(0.5, Map.of()));
      metrics.validation(3, new ValidationResult(0.5, Map.of()));
    }
    Path path = folder.resolve("metrics.jsonl");
    Files.writeString(path, "{\"step\": 1, \"lo", StandardOpenOption.APPEND);
    try (MetricsFile metrics = MetricsFile.open(folder, 2, notices::add)) {
      metrics.validation(3, new ValidationResult(0.25, Map.of()));
    }
    assertThat(steps(path)).containsExactly(1L, 2L, 3L);
    assertThat(Files.readString(path)).contains("0.25").doesNotContain("\"lo");
    assertThat(notices).isEmpty();
  }

  @Test
  void saysWhoseMemoryTheDriverCounts() {
    assertThat(line(true)).contains("\"driver_bytes\":9,\"driver_bytes_of\":\"card\"");
    assertThat(line(false)).contains("\"driver_bytes\":9,\"driver_bytes_of\":\"process\"");
  }

  private static String line(boolean ofCard) {
    StepMetrics.StepTime time = new StepMetrics.StepTime(0, 0, 0, 0, 1);
    StepMetrics.MemoryUse memory = new StepMetrics.MemoryUse(1, 2, 9, ofCard, List.of());
    return Json.line(
        MetricsLine.of(
            new StepMetrics(
                1,
                2,
                Double.NaN,
                Map.of(),
                1e-3,
                1,
                1,
                true,
                List.of(),
                List.of(),
                8,
                8,
                1,
                0.5,
                time,
                Map.of(),
                memory)));
  }

  private static List<Long> steps(Path path) throws IOException {
    return Files.readAllLines(path).stream()
        .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8), "", ErrorCode.FORMAT))
        .map(line -> line.path("step").asLong())
        .toList();
  }
}
