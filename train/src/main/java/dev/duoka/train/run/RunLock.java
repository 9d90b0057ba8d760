package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps two processes from writing one run. The system lets the lock go when its holder dies,
 * however it dies; the file, which says who holds it, stays.
 */
final class RunLock implements AutoCloseable {
  static final String NAME = "run.lock";

  private final FileChannel channel;

  private RunLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock of a run's folder.
   *
   * @param notice hears that the file system has no locks
   * @throws DuokaException if another process, or another run of this one, has it
   */
  static RunLock take(Path runDir, Consumer<String> notice) throws IOException {
    Path file = runDir.resolve(NAME);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean kept = false;
    try {
      if (lock(channel, file, notice) == Answer.HELD) {
        throw new DuokaException(
            ErrorCode.IO,
            "the run folder " + runDir + " is in use by " + holder(file),
            "Wait for that run or end it, or choose another folder with --run-dir");
      }
      kept = true;
      return new RunLock(channel);
    } finally {
      if (!kept) {
        channel.close();
      }
    }
  }

  private enum Answer {
    TAKEN,
    HELD,
    WITHOUT_LOCKS
  }

  private static Answer lock(FileChannel channel, Path file, Consumer<String> notice) {
    @Nullable FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return Answer.HELD;
    } catch (IOException e) {
      notice.accept(
          "this file system has no locks ("
              + e.getMessage()
              + "): nothing keeps another process from writing to the same run folder");
      return Answer.WITHOUT_LOCKS;
    }
    if (lock == null) {
      return Answer.HELD;
    }
    String text =
        "process "
            + ProcessHandle.current().pid()
            + " since "
            + Instant.now().truncatedTo(ChronoUnit.SECONDS)
            + "\n";
    try {
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      notice.accept("cannot write to " + file + ": " + e.getMessage()); // the lock holds anyway
    }
    return Answer.TAKEN;
  }

  private static String holder(Path file) {
    try {
      String text = Files.readString(file).strip();
      return text.isEmpty() ? "another process" : text;
    } catch (IOException e) {
      return "another process";
    }
  }

  /** Closing the channel releases the lock. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot close " + NAME + ": " + e.getMessage(), "Check the disk", e);
    }
  }
}
