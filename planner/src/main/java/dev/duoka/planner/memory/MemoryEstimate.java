package dev.duoka.planner.memory;

import dev.duoka.planner.figure.Figure;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * Device memory of the busiest rank.
 *
 * @param bytes by owner; every owner is there
 * @param stage the pipeline stage of that rank
 * @param hostBytes host memory of all ranks together, for what is offloaded
 * @param source where the numbers come from
 */
public record MemoryEstimate(Map<Owner, Figure> bytes, int stage, double hostBytes, Source source) {
  /** Where the numbers of an estimate come from. */
  public enum Source {
    /** The engine's own step, run with shapes alone. */
    DRY_RUN,
    /** Formulas. */
    CLOSED_FORM;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public MemoryEstimate {
    Map<Owner, Figure> all = new EnumMap<>(Owner.class);
    for (Owner owner : Owner.values()) {
      all.put(owner, bytes.getOrDefault(owner, Figure.ZERO));
    }
    bytes = Collections.unmodifiableMap(all);
  }

  /** The sum over all owners. */
  public double total() {
    double sum = 0;
    for (Figure figure : bytes.values()) {
      sum += figure.value();
    }
    return sum;
  }

  /** What a framework's allocator counts as in use: the tensors. */
  public double allocated() {
    double sum = 0;
    for (Map.Entry<Owner, Figure> entry : bytes.entrySet()) {
      sum += entry.getKey().isTensor() ? entry.getValue().value() : 0;
    }
    return sum;
  }

  /** The same with every number marked as an estimate. */
  public MemoryEstimate assumed() {
    Map<Owner, Figure> figures = new EnumMap<>(Owner.class);
    bytes.forEach((owner, figure) -> figures.put(owner, Figure.assumed(figure.value())));
    return new MemoryEstimate(figures, stage, hostBytes, source);
  }

  /** Weights, gradients and optimizer states. */
  public double states() {
    return of(Owner.WEIGHTS) + of(Owner.MASTER_WEIGHTS) + of(Owner.GRADIENTS) + of(Owner.OPTIMIZER);
  }

  /** Bytes of one owner. */
  public double of(Owner owner) {
    return bytes.getOrDefault(owner, Figure.ZERO).value();
  }
}
