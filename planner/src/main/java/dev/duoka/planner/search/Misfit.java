package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.planner.memory.MemoryEstimate;
import java.util.List;

/**
 * A layout that does not fit.
 *
 * @param layout the layout
 * @param memory what it would need
 * @param deviceGib what each card lacks, GiB; 0 where the cards suffice
 * @param hostGib what the host lacks, GiB; 0 where it suffices
 * @param missing what the engine lacks to run it; the numbers are estimates unless empty
 */
public record Misfit(
    Layout layout, MemoryEstimate memory, double deviceGib, double hostGib, List<String> missing) {
  public Misfit {
    missing = List.copyOf(missing);
  }

  /** Whether the numbers are estimates, not what the engine books. */
  public boolean estimated() {
    return !missing.isEmpty();
  }
}
