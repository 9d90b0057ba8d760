package dev.duoka.engine.parameter;

/**
 * A stretch of one dimension of a weight. Joint weights have several in a row: queries, keys and
 * values, or gate and up.
 *
 * @param axis what it counts
 * @param count how many of them
 * @param unit elements of each, which stay together: the width of a head, say
 */
public record Section(Axis axis, long count, long unit) {
  /** A section of single elements. */
  public static Section of(Axis axis, long count) {
    return new Section(axis, count, 1);
  }

  /** The elements of the dimension that it takes. */
  public long length() {
    return Math.multiplyExact(count, unit);
  }
}
