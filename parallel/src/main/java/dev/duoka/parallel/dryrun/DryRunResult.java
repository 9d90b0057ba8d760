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
 * @param hostByOwner bytes by owner in host memory beside a GPU, at their own peak
 */
public record DryRunResult(
    Map<MemoryOwner, Long> peakByOwner,
    List<Exchange> exchanges,
    Map<MemoryOwner, Long> hostByOwner) {
  public DryRunResult {
    exchanges = List.copyOf(exchanges);
  }

  /** All bytes in host memory. */
  public long hostBytes() {
    return hostByOwner.values().stream().mapToLong(Long::longValue).sum();
  }

  /** All bytes at the peak. */
  public long peakBytes() {
    return peakByOwner.values().stream().mapToLong(Long::longValue).sum();
  }
}
