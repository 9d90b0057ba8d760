package dev.duoka.parallel.dryrun;

import dev.duoka.comm.Exchange;
import dev.duoka.tensor.MemoryOwner;
import java.util.List;
import java.util.Map;

/**
 * What a rank would book and exchange.
 *
 * @param peakByOwner bytes by owner at the peak of a step
 * @param exchanges of one step, in order
 */
public record DryRunResult(Map<MemoryOwner, Long> peakByOwner, List<Exchange> exchanges) {
  public DryRunResult {
    exchanges = List.copyOf(exchanges);
  }

  /** All bytes at the peak. */
  public long peakBytes() {
    return peakByOwner.values().stream().mapToLong(Long::longValue).sum();
  }
}
