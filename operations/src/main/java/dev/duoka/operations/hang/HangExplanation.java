package dev.duoka.operations.hang;

import dev.duoka.formats.ledger.LedgerRecord;
import dev.duoka.operations.process.JavaStacks;
import dev.duoka.operations.process.KernelWait;
import dev.duoka.operations.process.ProcessIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Why ranks do not get further.
 *
 * @param culprits the ranks that the others wait for, ascending; empty where none is known
 * @param message for people, a line for each rank
 * @param evidence all that was seen
 */
public record HangExplanation(List<Integer> culprits, String message, String evidence) {
  private static final int RECORDS_SHOWN = 12;
  private static final int FRAMES_SHOWN = 4;

  public HangExplanation {
    culprits = List.copyOf(culprits);
  }

  /** Explains what the ranks' files show, and asks the kernel and the JVMs of their processes. */
  static HangExplanation of(List<RankView> ranks, List<ProcessIdentity> processes) {
    Map<Long, JavaStacks> stacks = new HashMap<>();
    Set<Long> stopped = new HashSet<>();
    for (ProcessIdentity process : processes) {
      if (process.state().filter(state -> state == 'T').isPresent()) {
        stopped.add(process.pid());
      }
      JavaStacks.of(process).ifPresent(found -> stacks.put(process.pid(), found));
    }
    return of(ranks, stopped, stacks);
  }

  /**
   * Explains.
   *
   * @param stopped processes that are stopped
   * @param stacks where the threads of processes stand
   */
  static HangExplanation of(List<RankView> ranks, Set<Long> stopped, Map<Long, JavaStacks> stacks) {
    List<Integer> culprits = culprits(ranks, stopped);
    StringBuilder message = new StringBuilder();
    for (RankView rank : ranks) {
      if (culprits.contains(rank.rank())) {
        message.append(culprit(rank, stopped, stacks)).append('\n');
      }
    }
    if (culprits.isEmpty()) {
      message.append(
          "all ranks wait in exchanges, and none of their processes is stopped: they wait in"
              + " different ones, for ranks of other machines, or the network between their"
              + " processes carries nothing\n");
    }
    waiting(ranks, culprits).forEach(line -> message.append(line).append('\n'));
    return new HangExplanation(
        culprits, message.toString().strip(), evidence(ranks, message.toString(), stacks));
  }

  /**
   * Those that wait in no exchange, and those of stopped processes, which may have been stopped in
   * the middle of one.
   */
  private static List<Integer> culprits(List<RankView> ranks, Set<Long> stopped) {
    List<Integer> culprits = new ArrayList<>();
    for (RankView rank : ranks) {
      if (rank.waitsIn().isEmpty() || stopped.contains(rank.heartbeat().pid())) {
        culprits.add(rank.rank());
      }
    }
    return culprits;
  }

  private static String culprit(RankView rank, Set<Long> stopped, Map<Long, JavaStacks> stacks) {
    StringBuilder text = new StringBuilder("rank " + rank.rank() + " " + rank.text());
    long pid = rank.heartbeat().pid();
    if (stopped.contains(pid)) {
      return text.append("; its process ").append(pid).append(" is stopped (SIGSTOP)").toString();
    }
    Optional<JavaStacks.Stack> stack = stack(rank, stacks);
    if (stack.isEmpty()) {
      return text.append("; its process ")
          .append(pid)
          .append(" does not show its threads")
          .toString();
    }
    KernelWait.of(pid, stack.get().id())
        .ifPresent(wait -> text.append("; its thread ").append(wait));
    List<String> frames = stack.get().frames();
    if (!frames.isEmpty()) {
      text.append(" at ").append(frames.getFirst());
      frames.stream()
          .skip(1)
          .filter(frame -> frame.startsWith("dev.duoka."))
          .limit(FRAMES_SHOWN)
          .forEach(frame -> text.append(", below ").append(frame));
    }
    return text.toString();
  }

  private static Optional<JavaStacks.Stack> stack(RankView rank, Map<Long, JavaStacks> stacks) {
    return Optional.ofNullable(stacks.get(rank.heartbeat().pid()))
        .flatMap(found -> Optional.ofNullable(found.threads().get("rank-" + rank.rank())));
  }

  /** The others, those that wait in the same exchange together. */
  private static List<String> waiting(List<RankView> ranks, List<Integer> culprits) {
    Map<String, List<Integer>> groups = new TreeMap<>();
    for (RankView rank : ranks) {
      Optional<LedgerRecord> record = rank.waitsIn();
      if (record.isPresent() && !culprits.contains(rank.rank())) {
        groups
            .computeIfAbsent(
                RankView.text(record.get()) + ", step " + rank.heartbeat().step(),
                _ -> new ArrayList<>())
            .add(rank.rank());
      }
    }
    List<String> lines = new ArrayList<>();
    groups.forEach(
        (what, who) ->
            lines.add(
                who.size() == 1
                    ? "rank " + who.getFirst() + " waits in " + what
                    : "ranks " + who + " wait in " + what));
    return lines;
  }

  private static String evidence(
      List<RankView> ranks, String message, Map<Long, JavaStacks> stacks) {
    StringBuilder text = new StringBuilder(message);
    for (RankView rank : ranks) {
      text.append("\nrank ").append(rank.rank()).append(": ").append(rank.heartbeat()).append('\n');
      List<LedgerRecord> records = rank.records();
      records.stream()
          .skip(Math.max(0, records.size() - RECORDS_SHOWN))
          .forEach(
              record ->
                  text.append("  ")
                      .append(RankView.text(record))
                      .append(record.isCompleted() ? "" : ", not ended")
                      .append('\n'));
    }
    stacks.forEach(
        (pid, stack) ->
            text.append("\nthreads of process ")
                .append(pid)
                .append(":\n")
                .append(stack.text())
                .append('\n'));
    return text.toString();
  }
}
