package dev.duoka.planner.time;

import dev.duoka.hardware.Basis;
import dev.duoka.planner.figure.Figure;
import java.util.EnumMap;
import java.util.Map;

/** A sum of seconds by cause. */
final class Seconds {
  private static final Cause[] CAUSES = Cause.values();

  private final double[] values = new double[CAUSES.length];
  private final Basis[] bases = new Basis[CAUSES.length];

  void add(Cause cause, double seconds, Basis basis) {
    if (seconds > 0) {
      Basis before = bases[cause.ordinal()];
      values[cause.ordinal()] += seconds;
      bases[cause.ordinal()] = before == null ? basis : before.and(basis);
    }
  }

  void add(Cause cause, Figure seconds) {
    add(cause, seconds.value(), seconds.basis());
  }

  /** Adds all of another sum, {@code times} over. */
  void add(Seconds other, double times) {
    for (Cause cause : CAUSES) {
      Basis basis = other.bases[cause.ordinal()];
      if (basis != null) {
        add(cause, other.values[cause.ordinal()] * times, basis);
      }
    }
  }

  double total() {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  double of(Cause cause) {
    return values[cause.ordinal()];
  }

  Map<Cause, Figure> byCause() {
    Map<Cause, Figure> map = new EnumMap<>(Cause.class);
    for (Cause cause : CAUSES) {
      Basis basis = bases[cause.ordinal()];
      map.put(cause, basis == null ? Figure.ZERO : new Figure(values[cause.ordinal()], basis));
    }
    return map;
  }
}
