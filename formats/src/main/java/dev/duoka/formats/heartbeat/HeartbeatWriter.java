package dev.duoka.formats.heartbeat;

import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_BEATS;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_BYTES;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_PHASE;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_PHASE_NANOS;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_PID;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_RANK;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_STEP;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_TOTAL_STEPS;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_WORLD;
import static dev.duoka.formats.heartbeat.HeartbeatLayout.AT_WRITES;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/**
 * Writes a rank's heartbeat into a mapped file: what is written is there for other processes at
 * once, without a call of the system. One thread. The mapping ends with the garbage collection of
 * this object.
 */
public final class HeartbeatWriter {
  private final MappedByteBuffer file;
  private long writes;
  private long beats;

  /**
   * Starts a heartbeat; an old one of that name is overwritten.
   *
   * @param totalSteps of the whole run
   * @throws DuokaException when the file cannot be made
   */
  public HeartbeatWriter(Path path, int rank, int world, long totalSteps) {
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      file = channel.map(FileChannel.MapMode.READ_WRITE, 0, HeartbeatLayout.BYTES);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the heartbeat of rank " + rank + ", " + path + ": " + e.getMessage(),
          "Check that the folder is writable",
          e);
    }
    file.order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(AT_PID, ProcessHandle.current().pid());
    file.putInt(AT_RANK, rank);
    file.putInt(AT_WORLD, world);
    file.putLong(AT_TOTAL_STEPS, totalSteps);
    file.putLong(AT_PHASE_NANOS, now());
    VarHandle.releaseFence();
    file.putLong(0, HeartbeatLayout.MAGIC);
  }

  /**
   * The rank begins something.
   *
   * @param step which it belongs to
   * @param bytes that are to be read or written for it; 0 where it has to do with none
   */
  public void enter(Phase phase, long step, long bytes) {
    begin();
    file.putInt(AT_PHASE, phase.ordinal());
    file.putLong(AT_STEP, step);
    file.putLong(AT_BYTES, bytes);
    file.putLong(AT_PHASE_NANOS, now());
    end();
  }

  /** The rank has come further in what it is about. */
  public void beat() {
    begin();
    end();
  }

  private void begin() {
    file.putLong(AT_WRITES, ++writes);
    VarHandle.releaseFence();
  }

  private void end() {
    file.putLong(AT_BEATS, ++beats);
    VarHandle.releaseFence();
    file.putLong(AT_WRITES, ++writes);
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}
