package dev.duoka.planner.memory;

import dev.duoka.planner.figure.Figure;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Device memory of the busiest rank.
 *
 * @param bytes by owner; every owner is there
 * @param stage the pipeline stage of that rank
 * @param hostBytes host memory of all ranks together, for what is offloaded
 */
public record MemoryEstimate(Map<Owner, Figure> bytes, int stage, double hostBytes) {
  public MemoryEstimate {
    bytes = Collections.unmodifiableMap(new EnumMap<>(bytes));
  }

  /** The sum over all owners. */
  public double total() {
    double sum = 0;
    for (Figure figure : bytes.values()) {
      sum += figure.value();
    }
    return sum;
  }

  /** What a framework's allocator counts as in use: all but NCCL, context and reserve. */
  public double allocated() {
    double sum = 0;
    for (Map.Entry<Owner, Figure> entry : bytes.entrySet()) {
      sum +=
          switch (entry.getKey()) {
            case WEIGHTS, GRADIENTS, OPTIMIZER, ACTIVATIONS, LOGITS, TEMPORARIES ->
                entry.getValue().value();
            case NCCL, CONTEXT, RESERVE -> 0;
          };
    }
    return sum;
  }

  /** Weights, gradients and optimizer states. */
  public double states() {
    return of(Owner.WEIGHTS) + of(Owner.GRADIENTS) + of(Owner.OPTIMIZER);
  }

  /** Bytes of one owner. */
  public double of(Owner owner) {
    return bytes.getOrDefault(owner, Figure.ZERO).value();
  }
}
