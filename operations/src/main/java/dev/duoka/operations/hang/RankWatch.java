package dev.duoka.operations.hang;

import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.heartbeat.Phase;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/** How one rank has got further so far. One thread. */
final class RankWatch {
  /** Waits between entries that are remembered, of each phase. */
  private static final int REMEMBERED = 512;

  private final Map<Phase, Deque<Long>> waits = new EnumMap<>(Phase.class);
  private Heartbeat heartbeat;
  private long progress = -1;
  private long changedAt;
  private long firstStep;

  RankWatch(Heartbeat heartbeat, long now) {
    this.heartbeat = heartbeat;
    this.changedAt = now;
    this.firstStep = heartbeat.step();
  }

  /**
   * Takes what the rank has said last.
   *
   * @param exchanges how far its ledger is
   * @param now on a clock that does not jump, in nanoseconds
   * @return whether it has got further
   */
  boolean see(Heartbeat seen, long exchanges, long now) {
    if (seen.pid() != heartbeat.pid()) {
      firstStep = seen.step();
    }
    boolean further =
        seen.pid() != heartbeat.pid() || seen.beats() != heartbeat.beats() || exchanges != progress;
    if (further) {
      if (progress >= 0) {
        Deque<Long> of = waits.computeIfAbsent(heartbeat.phase(), _ -> new ArrayDeque<>());
        of.add(now - changedAt);
        if (of.size() > REMEMBERED) {
          of.remove();
        }
      }
      changedAt = now;
    }
    heartbeat = seen;
    progress = exchanges;
    return further;
  }

  /** The time since its last progress does not count: the whole machine stood still. */
  void forgive(long now) {
    changedAt = now;
  }

  /** What it has said last. */
  Heartbeat heartbeat() {
    return heartbeat;
  }

  /** How long it has not got further, in nanoseconds. */
  long stood(long now) {
    return now - changedAt;
  }

  /** Whether it has stood longer than it may. */
  boolean isLate(HangLimits limits, long now) {
    return stood(now) > limit(limits);
  }

  /** How long it may stand, in nanoseconds. */
  long limit(HangLimits limits) {
    long longest = 0;
    for (long wait : waits.getOrDefault(heartbeat.phase(), new ArrayDeque<>())) {
      longest = Math.max(longest, wait);
    }
    return limits.nanos(
        heartbeat.phase(), heartbeat.step() - firstStep, longest, heartbeat.bytes());
  }
}
