package dev.duoka.operations.hang;

import dev.duoka.operations.process.JavaStacks;
import dev.duoka.operations.process.KernelWait;
import dev.duoka.operations.process.ProcessIdentity;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the kernel and the JVMs say of the processes of ranks that hang.
 *
 * @param stopped the processes that are stopped
 * @param stacks where the threads of processes stand, by process
 * @param waits what the thread of a rank does, by rank
 */
record ProcessViews(
    Set<Long> stopped, Map<Long, JavaStacks> stacks, Map<Integer, KernelWait> waits) {
  /** A thread that waits may run for a moment. */
  private static final int LOOKS = 5;

  private static final long PAUSE_MILLISECONDS = 20;

  /**
   * Ends the name of a thread that works for a rank's, which waits for it ({@code
   * ComputeThread.sideBySide}): where it hangs is where the rank does.
   */
  private static final String BESIDE = "-beside";

  ProcessViews {
    stopped = Set.copyOf(stopped);
    stacks = Map.copyOf(stacks);
    waits = Map.copyOf(waits);
  }

  /** Asks; takes a few seconds where processes do not answer. */
  static ProcessViews of(List<RankView> ranks, List<ProcessIdentity> processes) {
    Map<Long, JavaStacks> stacks = new HashMap<>();
    Set<Long> stopped = new HashSet<>();
    for (ProcessIdentity process : processes) {
      if (process.state().filter(state -> state == 'T').isPresent()) {
        stopped.add(process.pid());
      }
      JavaStacks.of(process).ifPresent(found -> stacks.put(process.pid(), found));
    }
    Map<Integer, KernelWait> waits = new HashMap<>();
    for (RankView rank : ranks) {
      wait(rank).ifPresent(wait -> waits.put(rank.rank(), wait));
    }
    return new ProcessViews(stopped, stacks, waits);
  }

  /** What a rank's thread does, which is to run only where it never does anything else. */
  private static Optional<KernelWait> wait(RankView rank) {
    Optional<KernelWait> wait = Optional.empty();
    for (int look = 0; look < LOOKS; look++) {
      if (look > 0) {
        try {
          Thread.sleep(PAUSE_MILLISECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return wait;
        }
      }
      long process = rank.heartbeat().pid();
      wait =
          KernelWait.of(process, thread(rank) + BESIDE)
              .or(() -> KernelWait.of(process, thread(rank)));
      if (wait.filter(KernelWait::isRunning).isEmpty()) {
        return wait;
      }
    }
    return wait;
  }

  private static String thread(RankView rank) {
    return "rank-" + rank.rank();
  }

  boolean isRunning(int rank) {
    KernelWait wait = waits.get(rank);
    return wait != null && wait.isRunning();
  }

  /** Where a rank's thread stands, innermost first; empty where its process did not answer. */
  Optional<List<String>> frames(RankView rank) {
    return Optional.ofNullable(stacks.get(rank.heartbeat().pid()))
        .map(JavaStacks::threads)
        .flatMap(
            threads ->
                Optional.ofNullable(threads.get(thread(rank) + BESIDE))
                    .or(() -> Optional.ofNullable(threads.get(thread(rank)))));
  }
}
