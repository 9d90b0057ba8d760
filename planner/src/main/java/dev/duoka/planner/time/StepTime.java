package dev.duoka.planner.time;

import dev.duoka.hardware.Basis;
import dev.duoka.planner.figure.Figure;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long one step takes.
 *
 * @param seconds by cause; every cause is there
 * @param low seconds of a step that goes unusually well
 * @param high seconds of one that goes badly
 * @param priced whether its parts take what was measured on the machine; else what formulas say
 */
public record StepTime(Map<Cause, Figure> seconds, double low, double high, boolean priced) {
  private static final Map<Cause, String> GROUPS =
      Map.of(
          Cause.DATA, "data",
          Cause.TENSOR, "tensor",
          Cause.EXPERT, "expert",
          Cause.CONTEXT, "context",
          Cause.PIPELINE_BUBBLE, "pipeline");

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

  /** Seconds of computing alone: nothing is exchanged, waited for or started late. */
  public double computing() {
    return of(Cause.GEMM) + of(Cause.ATTENTION) + of(Cause.MEMORY_BOUND) + of(Cause.OPTIMIZER);
  }

  /** What shows of the exchange, by the names of the engine's groups of ranks. */
  public Map<String, Double> exposed() {
    Map<String, Double> exposed = new LinkedHashMap<>();
    GROUPS.forEach(
        (cause, group) -> {
          if (of(cause) > 0) {
            exposed.put(group, of(cause));
          }
        });
    return exposed;
  }

  /**
   * The causes that take any time of a step whose parts were priced, and of which that was not
   * measured on the machine.
   */
  public List<Cause> unmeasured() {
    return !priced
        ? List.of()
        : seconds.entrySet().stream()
            .filter(entry -> entry.getValue().value() > 0)
            .filter(entry -> entry.getValue().basis() == Basis.ASSUMED)
            .map(Map.Entry::getKey)
            .toList();
  }

  /** Seconds of the causes that take any, by their names, without those of {@link #exposed}. */
  public Map<String, Double> byName() {
    Map<String, Double> named = new LinkedHashMap<>();
    seconds.forEach(
        (cause, figure) -> {
          if (figure.value() > 0 && !GROUPS.containsKey(cause)) {
            named.put(cause.toString(), figure.value());
          }
        });
    return named;
  }

  /** Seconds of one cause. */
  public double of(Cause cause) {
    return seconds.getOrDefault(cause, Figure.ZERO).value();
  }
}
