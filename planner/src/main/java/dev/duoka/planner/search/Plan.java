package dev.duoka.planner.search;

import dev.duoka.hardware.NumberFormat;
import dev.duoka.layout.Layout;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.time.StepTime;
import java.util.List;

/**
 * A layout that fits, with what it needs and achieves.
 *
 * @param layout the layout
 * @param memory of the busiest rank
 * @param time of a step
 * @param tokensPerSecond of all cards together
 * @param mfuCausal model FLOPs with attention at its causal half, of the cards' peak
 * @param mfuFull model FLOPs with full attention, of the same peak
 * @param mfuPeak whose dense peak that is: of 8 bits where products are in them, else of 16
 * @param cost of running it
 * @param missing what this version's engine lacks to run it; empty where it runs
 * @param why it is here, in sentences
 */
public record Plan(
    Layout layout,
    MemoryEstimate memory,
    StepTime time,
    double tokensPerSecond,
    double mfuCausal,
    double mfuFull,
    NumberFormat mfuPeak,
    Cost cost,
    List<String> missing,
    List<String> why) {
  public Plan {
    missing = List.copyOf(missing);
    why = List.copyOf(why);
  }

  /** Whether {@code duoka train} runs it. */
  public boolean runnable() {
    return missing.isEmpty();
  }

  Plan because(List<String> reasons) {
    return new Plan(
        layout, memory, time, tokensPerSecond, mfuCausal, mfuFull, mfuPeak, cost, missing, reasons);
  }
}
