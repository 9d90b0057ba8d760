package dev.duoka.planner.figure;

import dev.duoka.hardware.Basis;

/**
 * A number and how far it can be trusted.
 *
 * @param value the number, in the unit that its owner says
 * @param basis what it rests on
 */
public record Figure(double value, Basis basis) {
  /** Nothing at all, exactly. */
  public static final Figure ZERO = exact(0);

  /** A number that follows from definitions. */
  public static Figure exact(double value) {
    return new Figure(value, Basis.EXACT);
  }

  /** A number that rests on a measurement. */
  public static Figure measured(double value) {
    return new Figure(value, Basis.MEASURED);
  }

  /** An estimate. */
  public static Figure assumed(double value) {
    return new Figure(value, Basis.ASSUMED);
  }

  /** The sum; it is as weak as the weaker part, unless that part is nothing. */
  public Figure plus(Figure other) {
    if (other.value == 0) {
      return this;
    }
    return value == 0 ? other : new Figure(value + other.value, basis.and(other.basis));
  }

  /** The number times an exact factor. */
  public Figure times(double factor) {
    return factor == 0 ? ZERO : new Figure(value * factor, basis);
  }
}
