package dev.duoka.operations.hang;

import dev.duoka.formats.heartbeat.Phase;

/**
 * How long a rank may be without progress until that is a hang.
 *
 * @param seconds at least, once steps are known
 * @param warmupSeconds at least, until they are, and in what happens rarely
 */
public record HangLimits(int seconds, int warmupSeconds) {
  /** Steps after which a rank is known. */
  static final int WARMUP_STEPS = 100;

  private static final double KNOWN_FACTOR = 3;
  private static final double WARMUP_FACTOR = 10;

  /** Bytes a second that a slow disk takes. */
  private static final double SLOW_DISK = 50e6;

  /**
   * The limit in nanoseconds.
   *
   * @param steps how many this rank was seen to take
   * @param expected the longest that such an entry has taken lately, in nanoseconds
   * @param bytes that are read or written meanwhile
   */
  long nanos(Phase phase, long steps, long expected, long bytes) {
    double seen = expected * 1e-9;
    double limit =
        switch (phase) {
          case LOADING, SAVING, ENDING ->
              Math.max(warmupSeconds, KNOWN_FACTOR * Math.max(seen, bytes / SLOW_DISK));
          case VALIDATION -> Math.max(warmupSeconds, KNOWN_FACTOR * seen);
          case DATA, STEP ->
              steps < WARMUP_STEPS
                  ? Math.max(warmupSeconds, WARMUP_FACTOR * seen)
                  : Math.max(seconds, KNOWN_FACTOR * seen);
        };
    return (long) (limit * 1e9);
  }
}
