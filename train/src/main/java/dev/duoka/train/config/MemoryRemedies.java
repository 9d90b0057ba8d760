package dev.duoka.train.config;

import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import java.util.ArrayList;
import java.util.List;

/** How a run can take its steps in less memory, the cheapest way first. */
public final class MemoryRemedies {
  private MemoryRemedies() {}

  /**
   * What to override in the run file, one list for each way; the tokens of a step stay the same.
   * The micro-batch goes down by divisors, at least by half, and what it loses accumulation gains;
   * from one sequence on, layers are computed again, and then the optimizer moves to the host:
   * first its states, which the device goes on to update, then gradients and the update, too.
   */
  public static List<List<String>> of(RunConfig config) {
    List<List<String>> ways = new ArrayList<>();
    int micro = BatchPlan.of(config).microBatch();
    int unit = config.data().hasPairs() ? 2 : 1;
    while (micro > unit) {
      micro = smaller(micro, unit);
      ways.add(List.of("training.micro_batch=" + micro));
    }
    List<String> least = new ArrayList<>(List.of("training.micro_batch=" + unit));
    if (config.training().recompute() != Recompute.FULL) {
      least.add("training.recompute=full");
      ways.add(List.copyOf(least));
    }
    // Beside an adapter there are hardly any states to move.
    if (config.adapter().isEmpty()) {
      boolean offloads = config.memory().offload() != Offload.NONE;
      least.add("memory.offload=optimizer");
      for (OffloadUpdate update : OffloadUpdate.values()) {
        if (!offloads || update.compareTo(config.memory().offloadUpdate()) > 0) {
          List<String> way = new ArrayList<>(least);
          way.add("memory.offload_update=" + update);
          ways.add(way);
        }
      }
    }
    return ways;
  }

  /**
   * The largest micro-batch of at most half as many sequences into which one can be split.
   *
   * @param unit sequences that stay together: 2 of a pair
   */
  public static int smaller(int microBatch, int unit) {
    for (int divisor = microBatch / 2; divisor > unit; divisor--) {
      if (microBatch % divisor == 0 && divisor % unit == 0) {
        return divisor;
      }
    }
    return unit;
  }
}
