package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/**
 * All that a run's {@code metrics.jsonl} says, read on as it grows. The file is the truth: where it
 * was cut or replaced, as when a run resumes, it is read again from its beginning. Safe for several
 * threads.
 */
final class MetricsHistory {
  private static final int BLOCK = 1 << 20;

  /** Bytes that are read faster from their columns. */
  private static final long WORTH_CACHING = 8L << 20;

  /** Bytes before the place that is reached, by which a replaced file is noticed. */
  private static final int MARK = 256;

  /** A model of 1000 layers has fewer; more would be no metrics of ours. */
  private static final int MOST_SERIES = 4096;

  /** Fair: who asks while a long file is read waits for one block of it alone. */
  private final ReentrantLock lock = new ReentrantLock(true);

  private final RunFiles files;
  private final Path file;
  private final Optional<Path> cache;
  private boolean cacheIsRead;
  private long cached;
  private final MetricsLine line = new MetricsLine();
  private final Map<String, Series> series = new LinkedHashMap<>();
  private final byte[] block = new byte[BLOCK];
  private final LineTimes times = new LineTimes();
  private byte[] mark = new byte[0];
  private long at;
  private long size;
  private long unreadable;
  private boolean inLongLine;

  /**
   * Of a run's folder; nothing is read yet.
   *
   * @param cache where what was read is kept for the next time; empty for nowhere
   */
  MetricsHistory(RunFiles files, Optional<Path> cache) {
    this.files = files;
    this.file = files.folder().resolve("metrics.jsonl");
    this.cache = cache;
  }

  /**
   * How far the file is read.
   *
   * @param bytes that are read
   * @param of the whole file
   * @param unreadable lines that are no metrics
   */
  record Reading(long bytes, long of, long unreadable) {}

  /**
   * Reads the next MiB; true when there may be more. Blocks as long as the disk takes.
   *
   * @throws dev.duoka.base.DuokaException when the file cannot be read
   */
  boolean readOn() {
    lock.lock();
    try {
      return readBlock();
    } finally {
      lock.unlock();
    }
  }

  /**
   * What was read before, by whoever; it is taken for what it says if the file still has its end.
   */
  private void readCache() {
    cacheIsRead = true;
    if (cache.isEmpty()) {
      return;
    }
    try {
      Optional<ColumnFile.Content> content = ColumnFile.read(cache.get());
      if (content.isPresent()) {
        ObjectNode head = content.get().head();
        series.putAll(content.get().series());
        times.take(head.path("times"));
        at = head.path("at").asLong(0);
        cached = at;
        unreadable = head.path("unreadable").asLong(0);
        mark = head.path("mark").binaryValue();
      }
    } catch (IOException | JacksonException e) {
      restart(); // the cache is made anew
    }
  }

  /** Keeps what was read, and lets go of the heap that it takes. */
  private void writeCache() {
    if (cache.isEmpty()) {
      return;
    }
    ObjectNode head = Json.object();
    head.put("at", at);
    head.put("unreadable", unreadable);
    head.put("mark", mark);
    head.set("times", times.json());
    cached = at;
    try {
      ColumnFile.write(cache.get(), head, series);
      ColumnFile.read(cache.get())
          .filter(it -> it.head().path("at").asLong(-1) == at)
          .ifPresent(it -> series.putAll(it.series()));
    } catch (IOException e) {
      cached = at + WORTH_CACHING; // the disk is full, say: later perhaps
    }
  }

  private boolean readBlock() {
    if (!cacheIsRead) {
      readCache();
    }
    Optional<FileChannel> opened = files.open(file);
    if (opened.isEmpty()) {
      restart();
      return false;
    }
    try (FileChannel channel = opened.get()) {
      size = channel.size();
      if (size < at || !Arrays.equals(read(channel, at - mark.length, mark.length), mark)) {
        restart();
        size = channel.size();
      }
      int length = fill(channel, at, BLOCK);
      boolean more = take(length);
      long unsaved = at - cached;
      if (unsaved > Math.max(4 * WORTH_CACHING, at / 8) || (!more && unsaved > WORTH_CACHING)) {
        writeCache();
      }
      return more;
    } catch (IOException e) {
      throw RunFiles.cannotRead(file, e);
    }
  }

  /** How far it is. */
  Reading reading() {
    return with(each -> new Reading(at, size, unreadable));
  }

  /** All measures by their names, in the order in which they were met. */
  <T> T with(Function<Map<String, Series>, T> use) {
    lock.lock();
    try {
      return use.apply(series);
    } finally {
      lock.unlock();
    }
  }

  /** Where the time went. */
  Goodput.Times times() {
    lock.lock();
    try {
      return times.goodput().times();
    } finally {
      lock.unlock();
    }
  }

  private void restart() {
    series.clear();
    times.clear();
    cached = 0;
    mark = new byte[0];
    at = 0;
    size = 0;
    unreadable = 0;
    inLongLine = false;
  }

  private boolean take(int length) {
    int begin = 0;
    for (int i = 0; i < length; i++) {
      if (block[i] == '\n') {
        line(begin, i - begin);
        begin = i + 1;
      }
    }
    if (begin == 0 && length == BLOCK) { // no line of ours is as long
      inLongLine = true;
      begin = length;
    }
    at += begin;
    if (begin > 0) {
      mark = Arrays.copyOfRange(block, Math.max(0, begin - MARK), begin);
    }
    return begin > 0 && at < size;
  }

  private void line(int offset, int length) {
    if (inLongLine || !line.read(block, offset, length, this::add)) {
      unreadable++;
      inLongLine = false;
    }
    times.endLine();
  }

  private void add(long step, String name, double value) {
    times.value(name, value);
    Series known = series.get(name);
    if (known == null) {
      if (series.size() >= MOST_SERIES) {
        return;
      }
      known = new Series();
      series.put(name, known);
    }
    known.add(step, value);
  }

  private int fill(FileChannel channel, long position, int most) throws IOException {
    ByteBuffer into = ByteBuffer.wrap(block, 0, most);
    int read = 0;
    while (into.hasRemaining() && read >= 0) {
      read = channel.read(into, position + into.position());
    }
    return into.position();
  }

  private static byte[] read(FileChannel channel, long position, int length) throws IOException {
    ByteBuffer into = ByteBuffer.allocate(length);
    int read = 0;
    while (into.hasRemaining() && read >= 0) {
      read = channel.read(into, position + into.position());
    }
    return Arrays.copyOf(into.array(), into.position());
  }
}
