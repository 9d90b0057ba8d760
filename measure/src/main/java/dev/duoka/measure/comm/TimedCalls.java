package dev.duoka.measure.comm;

import dev.duoka.base.Median;
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
  /**
   * How much is measured.
   *
   * @param rounds of calls that follow each other
   * @param roundSeconds what a round should take: long enough that its beginning does not count
   * @param fewest calls of a round, however long one takes
   */
  record Effort(int rounds, double roundSeconds, int fewest) {
    /** For figures that are kept. */
    static final Effort FULL = new Effort(9, 0.020, 2);

    /** For long tables, whose lines are looked at beside each other. */
    static final Effort BRIEF = new Effort(5, 0.008, 1);
  }

  /** The first call loads what all need, the next ones fill what the allocator keeps. */
  private static final int WARM_UP = 3;

  private static final int MOST_CALLS = 100;

  TimedCalls {
    seconds = List.copyOf(seconds);
    hostSeconds = List.copyOf(hostSeconds);
  }

  /** No call: what is wrong is not timed. */
  static final TimedCalls NONE = new TimedCalls(List.of(), List.of());

  /** Times a call, as carefully as {@code effort} says. Collective. */
  static TimedCalls of(Communicator ranks, Device device, Effort effort, Runnable call) {
    List<Double> seconds = new ArrayList<>();
    List<Double> hostSeconds = new ArrayList<>();
    try (DeviceClock clock = new DeviceClock(device)) {
      // All ranks know the same mean, so that they make as many calls.
      double once = round(ranks, clock, call, 1)[0];
      if (once < effort.roundSeconds()) {
        round(ranks, clock, call, WARM_UP - 1);
      }
      double[] few = round(ranks, clock, call, effort.fewest());
      int calls =
          (int)
              Math.clamp(
                  effort.roundSeconds() / Math.max(few[0], 1e-9), effort.fewest(), MOST_CALLS);
      for (int i = 0; i < effort.rounds(); i++) {
        double[] round =
            i == 0 && calls == effort.fewest() ? few : round(ranks, clock, call, calls);
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
    return Median.of(seconds);
  }
}
