package dev.duoka.measure.comm;

import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.train.device.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One rank's part in timing collectives. */
final class CollectiveRounds {
  private static final int WARM_UP = 3;
  private static final int ROUNDS = 9;

  /** What a round should take: long enough that its beginning does not count. */
  private static final double ROUND_MILLISECONDS = 20;

  private static final int FEWEST_CALLS = 2;
  private static final int MOST_CALLS = 100;

  private final Communicator ranks;
  private final Device device;
  private final Map<Integer, String> wrong;

  /**
   * A rank.
   *
   * @param wrong to which each rank writes what is wrong with a result; the same on all ranks,
   *     empty
   */
  CollectiveRounds(Communicator ranks, Device device, Map<Integer, String> wrong) {
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
    List<Double> seconds = new ArrayList<>();
    List<Double> hostSeconds = new ArrayList<>();
    Optional<String> difference;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      CollectiveBuffers buffers = new CollectiveBuffers(ranks, device, bytes);
      difference = agreed(buffers.check(collective));
      if (difference.isEmpty()) {
        time(() -> buffers.run(collective), seconds, hostSeconds);
      }
      agreement().barrier(); // nobody frees what others may still read
    }
    return new CollectiveLine(
        transport, collective, ranks.size(), bytes, seconds, hostSeconds, difference);
  }

  /** What the first rank with a wrong result says, on every rank. */
  private Optional<String> agreed(Optional<String> mine) {
    mine.ifPresent(it -> wrong.put(ranks.rank(), it));
    agreement().barrier();
    Optional<String> first = wrong.values().stream().findFirst();
    agreement().barrier();
    wrong.clear();
    agreement().barrier();
    return first;
  }

  private void time(Runnable call, List<Double> seconds, List<Double> hostSeconds) {
    try (DeviceClock clock = new DeviceClock(device)) {
      round(clock, call, WARM_UP);
      double milliseconds = Math.max(round(clock, call, FEWEST_CALLS)[0] * 1e3, 1e-6);
      int calls = (int) Math.clamp(ROUND_MILLISECONDS / milliseconds, FEWEST_CALLS, MOST_CALLS);
      for (int i = 0; i < ROUNDS; i++) {
        double[] round = round(clock, call, calls);
        seconds.add(round[0]);
        hostSeconds.add(round[1]);
      }
    }
  }

  /** Seconds of a call and of its host, the ranks' mean. Collective. */
  private double[] round(DeviceClock clock, Runnable call, int calls) {
    clock.reset();
    agreement().barrier();
    clock.mark();
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    double host = (System.nanoTime() - start) * 1e-9;
    double[] sums = {clock.milliseconds(clock.mark()) * 1e-3, host};
    agreement().sum(sums);
    double all = (double) calls * ranks.size();
    return new double[] {sums[0] / all, sums[1] / all};
  }

  private Agreement agreement() {
    return ranks.agreement();
  }
}
