package dev.duoka.engine.parameter;

/**
 * Neighbouring elements of what is held of a weight, in the order in which it lies in memory.
 *
 * @param start the first
 * @param end behind the last
 */
public record HeldRange(long start, long end) {
  /** All that is held. */
  public static final HeldRange ALL = new HeldRange(0, Long.MAX_VALUE);

  /** Nothing of it. */
  public static final HeldRange NONE = new HeldRange(0, 0);

  /** Whether there is no element. */
  public boolean isEmpty() {
    return end <= start;
  }
}
