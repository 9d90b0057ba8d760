package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.BlockReader;
import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.log.TextBlock;
import dev.duoka.diagnosis.rule.RuleBook;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Scans logs with a few workers. One thread reads, so pipes and compressed files go the same way as
 * plain ones; blocks that wait for a worker are few, so memory is bounded.
 */
public final class LogScan {
  /** Bytes of a block. */
  static final int BLOCK = 4 << 20;

  private final RuleBook book;
  private final int workers;
  private final int blockSize;

  /**
   * @param workers threads that look for words
   */
  public LogScan(RuleBook book, int workers) {
    this(book, workers, BLOCK);
  }

  LogScan(RuleBook book, int workers, int blockSize) {
    this.book = book;
    this.workers = workers;
    this.blockSize = blockSize;
  }

  /** Reads all logs. */
  public Scan scan(List<LogSource> sources) {
    BoundedSightings keeper = new BoundedSightings();
    List<ScannedLog> logs = new ArrayList<>();
    try (ExecutorService pool =
        Executors.newFixedThreadPool(workers, Thread.ofPlatform().daemon().factory())) {
      for (LogSource source : sources) {
        logs.add(new OneLog(source, logs.size(), keeper, pool).scan());
      }
    }
    return new Scan(List.copyOf(logs), keeper.all());
  }

  private final class OneLog {
    private final LogSource source;
    private final int index;
    private final BoundedSightings keeper;
    private final ExecutorService pool;
    private final ArrayDeque<Future<BlockScan.Found>> pending = new ArrayDeque<>();
    private final ProgressLines progress = new ProgressLines();
    private long lines;

    OneLog(LogSource source, int index, BoundedSightings keeper, ExecutorService pool) {
      this.source = source;
      this.index = index;
      this.keeper = keeper;
      this.pool = pool;
    }

    ScannedLog scan() {
      long bytes = 0;
      TextBlock last = new TextBlock(new byte[0], 0);
      try (BlockReader reader = new BlockReader(source, blockSize)) {
        for (Optional<TextBlock> next = reader.next(); next.isPresent(); next = reader.next()) {
          TextBlock block = next.get();
          last = block;
          bytes += block.length();
          pending.add(pool.submit(() -> new BlockScan(book).scan(block, source.rank())));
          while (pending.size() > 2 * workers) {
            takeOne();
          }
        }
      }
      while (!pending.isEmpty()) {
        takeOne();
      }
      List<String> tail = new ArrayList<>();
      List<Long> numbers = new ArrayList<>();
      Tail.read(last, lines, tail, numbers);
      boolean cut = last.length() > 0 && last.bytes()[last.length() - 1] != '\n';
      return new ScannedLog(
          source, lines + (cut ? 1 : 0), bytes, List.copyOf(tail), List.copyOf(numbers), progress);
    }

    private void takeOne() {
      try {
        BlockScan.Found found = pending.remove().get();
        found.sightings().forEach(s -> keeper.add(s.shifted(index, lines)));
        progress.addAll(found.progress(), lines);
        lines += found.lines();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while reading " + source.name(), e);
      } catch (ExecutionException e) {
        throw new IllegalStateException("a worker failed on " + source.name(), e.getCause());
      }
    }
  }
}
