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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a rank has said last.
 *
 * @param pid of the process that it is in
 * @param phase what it is about
 * @param step which that belongs to
 * @param totalSteps of the whole run
 * @param beats how often it has said anything
 * @param bytes that are to be read or written in this phase; 0 where it has to do with none
 * @param phaseNanos when the phase began, in nanoseconds since 1970
 */
public record Heartbeat(
    int rank,
    int world,
    long pid,
    Phase phase,
    long step,
    long totalSteps,
    long beats,
    long bytes,
    long phaseNanos) {
  private static final int ATTEMPTS = 5;

  /**
   * Reads a heartbeat, of a rank that may be writing on; empty where there is none, or none that is
   * whole.
   */
  public static Optional<Heartbeat> read(Path path) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        if (file.capacity() < HeartbeatLayout.BYTES || file.getLong(0) != HeartbeatLayout.MAGIC) {
          return Optional.empty();
        }
        if (file.getLong(AT_WRITES) % 2 == 0) {
          return of(file);
        }
      } catch (IOException e) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static Optional<Heartbeat> of(ByteBuffer file) {
    int phase = file.getInt(AT_PHASE);
    if (phase < 0 || phase >= Phase.values().length) {
      return Optional.empty();
    }
    return Optional.of(
        new Heartbeat(
            file.getInt(AT_RANK),
            file.getInt(AT_WORLD),
            file.getLong(AT_PID),
            Phase.values()[phase],
            file.getLong(AT_STEP),
            file.getLong(AT_TOTAL_STEPS),
            file.getLong(AT_BEATS),
            file.getLong(AT_BYTES),
            file.getLong(AT_PHASE_NANOS)));
  }
}
