package dev.duoka.operations.hang;

import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.operations.run.RunExpectation;

/**
 * How long a rank may be without progress until that is a hang.
 *
 * @param seconds at least, once steps are known
 * @param warmupSeconds at least, until they are, and in what happens rarely
 * @param expected what was predicted or measured of the run
 */
public record HangLimits(int seconds, int warmupSeconds, RunExpectation expected) {
  /** Steps after which a rank is known. */
  static final int WARMUP_STEPS = 100;

  private static final double KNOWN_FACTOR = 3;
  private static final double WARMUP_FACTOR = 10;

  /**
   * The limit in nanoseconds.
   *
   * @param steps how many this rank was seen to take
   * @param lately the longest that such an entry has taken, in nanoseconds
   * @param bytes that are read or written meanwhile
   */
  long nanos(Phase phase, long steps, long lately, long bytes) {
    double seen = lately * 1e-9;
    double limit =
        switch (phase) {
          case LOADING, SAVING, ENDING ->
              Math.max(
                  warmupSeconds,
                  KNOWN_FACTOR * Math.max(seen, bytes / expected.diskBytesPerSecond()));
          case VALIDATION -> Math.max(warmupSeconds, KNOWN_FACTOR * seen);
          case DATA, STEP ->
              steps < WARMUP_STEPS
                  ? Math.max(warmupSeconds, WARMUP_FACTOR * Math.max(seen, expected.stepSeconds()))
                  : Math.max(seconds, KNOWN_FACTOR * seen);
        };
    return (long) (limit * 1e9);
  }
}
