package dev.duoka.data.shard;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one process at a time, and one thread of it, build a folder of the cache. The system lets
 * the lock go when its holder dies, however it dies.
 */
final class CacheLock implements AutoCloseable {
  /** File locks are held by the process: its own threads need a lock among themselves. */
  private static final ConcurrentMap<Path, ReentrantLock> THREAD_LOCKS = new ConcurrentHashMap<>();

  private final ReentrantLock threadLock;
  private final FileChannel channel;

  private CacheLock(ReentrantLock threadLock, FileChannel channel) {
    this.threadLock = threadLock;
    this.channel = channel;
  }

  static CacheLock take(Path file, Runnable onWait) throws IOException {
    ReentrantLock threadLock =
        THREAD_LOCKS.computeIfAbsent(file.toAbsolutePath().normalize(), _ -> new ReentrantLock());
    threadLock.lock();
    FileChannel channel = null;
    boolean locked = false;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        onWait.run();
        lock = channel.lock();
      }
      locked = lock.isValid();
      return new CacheLock(threadLock, channel);
    } finally {
      if (!locked) {
        threadLock.unlock();
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  /** Closing the channel releases the lock. The file stays: deleting it would let two in. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      threadLock.unlock();
    }
  }
}
