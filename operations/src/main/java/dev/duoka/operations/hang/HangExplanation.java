package dev.duoka.operations.hang;

import dev.duoka.formats.ledger.LedgerRecord;
import dev.duoka.operations.process.JavaStacks;
import dev.duoka.operations.process.ProcessIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    return of(ranks, ProcessViews.of(ranks, processes));
  }

  static HangExplanation of(List<RankView> ranks, ProcessViews processes) {
    List<Integer> culprits = culprits(ranks, processes);
    StringBuilder message = new StringBuilder();
    for (RankView rank : ranks) {
      if (culprits.contains(rank.rank())) {
        message.append(culprit(rank, processes)).append('\n');
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
        culprits,
        message.toString().strip(),
        evidence(ranks, message.toString(), processes.stacks()));
  }

  /**
   * Those that wait in no exchange, and those of stopped processes, which may have been stopped in
   * the middle of one. Where there are none, those whose threads run while others sleep: they
   * compute within an exchange.
   */
  private static List<Integer> culprits(List<RankView> ranks, ProcessViews processes) {
    List<Integer> culprits =
        ranks.stream()
            .filter(
                rank ->
                    rank.waitsIn().isEmpty()
                        || processes.stopped().contains(rank.heartbeat().pid()))
            .map(RankView::rank)
            .toList();
    if (!culprits.isEmpty()) {
      return culprits;
    }
    List<Integer> running =
        ranks.stream().map(RankView::rank).filter(processes::isRunning).toList();
    return running.size() == ranks.size() ? List.of() : running;
  }

  private static String culprit(RankView rank, ProcessViews processes) {
    StringBuilder text = new StringBuilder("rank " + rank.rank() + " " + rank.text());
    long pid = rank.heartbeat().pid();
    if (processes.stopped().contains(pid)) {
      return text.append("; its process ").append(pid).append(" is stopped (SIGSTOP)").toString();
    }
    Optional.ofNullable(processes.waits().get(rank.rank()))
        .ifPresent(wait -> text.append("; its thread ").append(wait));
    Optional<List<String>> stack = processes.frames(rank);
    if (stack.isEmpty()) {
      return text.append("; its process ")
          .append(pid)
          .append(" does not show its threads")
          .toString();
    }
    List<String> frames = stack.get();
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
