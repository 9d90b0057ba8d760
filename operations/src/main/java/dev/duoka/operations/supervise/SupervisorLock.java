package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Admits one supervisor to a run; the system lets it go when its holder dies, however it dies. */
final class SupervisorLock implements AutoCloseable {
  private final FileChannel channel;

  private SupervisorLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Takes the lock; empty when another supervisor has it. */
  static Optional<SupervisorLock> take(SupervisionFolder folder) {
    try {
      FileChannel channel =
          FileChannel.open(folder.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (isTaken(channel)) {
        channel.close();
        return Optional.empty();
      }
      return Optional.of(new SupervisorLock(channel));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot lock " + folder.lock() + ": " + IoReason.of(e),
          "Choose a run folder on a file system that has locks, or train with --no-supervise",
          e);
    }
  }

  private static boolean isTaken(FileChannel channel) throws IOException {
    try {
      @Nullable Object lock = channel.tryLock();
      return lock == null;
    } catch (OverlappingFileLockException e) {
      return true;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot let a lock go: " + IoReason.of(e), "Check the disk", e);
    }
  }
}
