package dev.duoka.planner.time;

import dev.duoka.planner.figure.Figure;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long one step takes.
 *
 * @param seconds by cause; every cause is there
 * @param low seconds of a step that goes unusually well
 * @param high seconds of one that goes badly
 */
public record StepTime(Map<Cause, Figure> seconds, double low, double high) {
  public StepTime {
    seconds = Collections.unmodifiableMap(new EnumMap<>(seconds));
  }

  /** Seconds of the step. */
  public double total() {
    double sum = 0;
    for (Figure figure : seconds.values()) {
      sum += figure.value();
    }
    return sum;
  }

  /** Seconds of one cause. */
  public double of(Cause cause) {
    return seconds.getOrDefault(cause, Figure.ZERO).value();
  }
}
