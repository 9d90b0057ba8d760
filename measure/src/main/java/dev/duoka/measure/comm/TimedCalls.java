package dev.duoka.measure.comm;

import dev.duoka.comm.Communicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import java.util.ArrayList;
import java.util.List;

/**
 * How long a call takes that all ranks make together, in rounds of calls that follow each other.
 *
 * @param seconds of a call in each round, the ranks' mean
 * @param hostSeconds of a call that its host's thread is kept, in each round
 */
record TimedCalls(List<Double> seconds, List<Double> hostSeconds) {
  private static final int WARM_UP = 3;
  private static final int ROUNDS = 9;

  /** What a round should take: long enough that its beginning does not count. */
  private static final double ROUND_MILLISECONDS = 20;

  private static final int FEWEST_CALLS = 2;
  private static final int MOST_CALLS = 100;

  TimedCalls {
    seconds = List.copyOf(seconds);
    hostSeconds = List.copyOf(hostSeconds);
  }

  /** No call: what is wrong is not timed. */
  static final TimedCalls NONE = new TimedCalls(List.of(), List.of());

  /** Times a call. Collective. */
  static TimedCalls of(Communicator ranks, Device device, Runnable call) {
    List<Double> seconds = new ArrayList<>();
    List<Double> hostSeconds = new ArrayList<>();
    try (DeviceClock clock = new DeviceClock(device)) {
      round(ranks, clock, call, WARM_UP);
      double milliseconds = Math.max(round(ranks, clock, call, FEWEST_CALLS)[0] * 1e3, 1e-6);
      int calls = (int) Math.clamp(ROUND_MILLISECONDS / milliseconds, FEWEST_CALLS, MOST_CALLS);
      for (int i = 0; i < ROUNDS; i++) {
        double[] round = round(ranks, clock, call, calls);
        seconds.add(round[0]);
        hostSeconds.add(round[1]);
      }
    }
    return new TimedCalls(seconds, hostSeconds);
  }

  /** Seconds of a call and of its host, the ranks' mean. Collective. */
  private static double[] round(Communicator ranks, DeviceClock clock, Runnable call, int calls) {
    clock.reset();
    ranks.agreement().barrier();
    clock.mark();
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    double host = (System.nanoTime() - start) * 1e-9;
    double[] sums = {clock.milliseconds(clock.mark()) * 1e-3, host};
    ranks.agreement().sum(sums);
    double all = (double) calls * ranks.size();
    return new double[] {sums[0] / all, sums[1] / all};
  }

  /** The median round's seconds of a call; NaN of none. */
  double median() {
    return median(seconds);
  }

  /** The middle one; NaN of none. */
  static double median(List<Double> values) {
    return values.isEmpty() ? Double.NaN : values.stream().sorted().toList().get(values.size() / 2);
  }
}
