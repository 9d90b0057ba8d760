package dev.duoka.train.config;

import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import java.util.ArrayList;
import java.util.List;

/** How a run can take its steps in less memory, the cheapest way first. */
public final class MemoryRemedies {
  private MemoryRemedies() {}

  /**
   * What to override in the run file, one list for each way; the tokens of a step stay the same.
   * The micro-batch goes down by divisors, at least by half, and what it loses accumulation gains;
   * from one sequence on, layers are computed again, and then the optimizer moves to the host.
   */
  public static List<List<String>> of(RunConfig config) {
    List<List<String>> ways = new ArrayList<>();
    int micro = BatchPlan.of(config).microBatch();
    while (micro > 1) {
      micro = smaller(micro);
      ways.add(List.of("training.micro_batch=" + micro));
    }
    List<String> least = new ArrayList<>(List.of("training.micro_batch=1"));
    if (config.training().recompute() != Recompute.FULL) {
      least.add("training.recompute=full");
      ways.add(List.copyOf(least));
    }
    if (config.memory().offload() == Offload.NONE) {
      least.add("memory.offload=optimizer");
      ways.add(List.copyOf(least));
    }
    return ways;
  }

  /** The largest micro-batch of at most half as many sequences into which one can be split. */
  public static int smaller(int microBatch) {
    for (int divisor = microBatch / 2; divisor > 1; divisor--) {
      if (microBatch % divisor == 0) {
        return divisor;
      }
    }
    return 1;
  }
}
