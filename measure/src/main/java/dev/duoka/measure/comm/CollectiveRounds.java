package dev.duoka.measure.comm;

import dev.duoka.comm.Communicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.train.device.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One rank's part in timing collectives. */
final class CollectiveRounds {
  private final Communicator ranks;
  private final Device device;
  private final WrongResults wrong;

  /**
   * A rank.
   *
   * @param wrong to which each rank writes what is wrong with a result; the same on all ranks
   */
  CollectiveRounds(Communicator ranks, Device device, WrongResults wrong) {
    this.ranks = ranks;
    this.device = device;
    this.wrong = wrong;
  }

  /** Checks and times every collective by size. Collective. */
  List<CollectiveLine> run(Transport transport, List<Long> sizes) {
    List<CollectiveLine> lines = new ArrayList<>();
    for (Collective collective : Collective.values()) {
      for (long size : sizes) {
        lines.add(run(transport, collective, CollectiveBuffers.bytes(size, ranks.size())));
      }
    }
    return lines;
  }

  private CollectiveLine run(Transport transport, Collective collective, long bytes) {
    TimedCalls timed = TimedCalls.NONE;
    Optional<String> difference;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      CollectiveBuffers buffers = new CollectiveBuffers(ranks, device, bytes);
      difference = wrong.first(ranks, buffers.check(collective));
      if (difference.isEmpty()) {
        timed = TimedCalls.of(ranks, device, TimedCalls.Effort.FULL, () -> buffers.run(collective));
      }
      ranks.agreement().barrier(); // nobody frees what others may still read
    }
    return new CollectiveLine(
        transport,
        collective,
        ranks.size(),
        bytes,
        timed.seconds(),
        timed.hostSeconds(),
        difference);
  }
}
