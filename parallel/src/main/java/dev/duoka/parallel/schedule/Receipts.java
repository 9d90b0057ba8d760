package dev.duoka.parallel.schedule;

import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * When a rank may let go of what it sent to others, from the schedule alone: the same memory on
 * every device, at every speed. A message that comes back tells what its sender had taken before it
 * was sent (the clocks of Mattern, "Virtual time and global states of distributed systems", 1989),
 * and so nobody waits for a receipt.
 *
 * <p>Where nothing comes back, as at the end of a step, a rank that has sent {@link #KEPT} messages
 * of which it does not know waits, before it sends one more, until the first of them is taken.
 */
public final class Receipts {
  /** Messages to a rank that the sender keeps only because it has not heard of them. */
  static final int KEPT = 4;

  private final Schedule schedule;
  private final Progress progress;
  private final boolean training;
  private final int kept;
  private final int[] positions;

  /** By rank: how many actions of each other rank it knows to be done. */
  private final int[][] known;

  /** What each rank knew behind each action that was done. */
  private final Map<Action, int[]> knowledge = new HashMap<>();

  private final List<Deque<Action>> unknown = new ArrayList<>();
  private final List<List<List<Action>>> after = new ArrayList<>();

  private Receipts(Schedule schedule, int kept) {
    this.schedule = schedule;
    this.kept = kept;
    this.progress = new Progress(schedule);
    this.training = schedule.hasBackward();
    int ranks = schedule.ranks().size();
    positions = new int[ranks];
    known = new int[ranks][ranks];
    for (List<Action> actions : schedule.ranks()) {
      unknown.add(new ArrayDeque<>());
      after.add(
          new ArrayList<>(
              IntStream.range(0, actions.size()).mapToObj(_ -> List.<Action>of()).toList()));
    }
  }

  /**
   * The receipts of a schedule that {@link ScheduleCheck} has proved, or of forward passes alone.
   */
  public static Receipts of(Schedule schedule) {
    for (int kept = KEPT; ; kept *= 2) {
      Receipts receipts = new Receipts(schedule, kept);
      if (receipts.play()) {
        return receipts;
      }
    }
  }

  /**
   * The sends of a rank whose messages are taken, or which it is to wait for, behind an action and
   * not before. Those that are never named are waited for at the end.
   *
   * @param index of the action in the rank's list
   */
  public List<Action> after(int rank, int index) {
    return Collections.unmodifiableList(after.get(rank).get(index));
  }

  /** Plays all ranks; false when nobody can go on because of what is waited for. */
  private boolean play() {
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int rank = 0; rank < positions.length; rank++) {
        List<Action> own = schedule.ranks().get(rank);
        while (positions[rank] < own.size() && step(rank, own.get(positions[rank]))) {
          moved = true;
        }
      }
    }
    return IntStream.range(0, positions.length)
        .allMatch(rank -> positions[rank] == schedule.ranks().get(rank).size());
  }

  /** Plays a rank's next action if it can be. */
  private boolean step(int rank, Action action) {
    Action message = message(action);
    int[] news = message == null ? known[rank] : knowledge.get(message);
    if (!progress.isReady(action) || news == null || !makesRoom(rank, action)) {
      return false;
    }
    learn(rank, news);
    progress.done(action);
    known[rank][rank] = ++positions[rank];
    knowledge.put(action, known[rank].clone());
    if (isSend(action)) {
      unknown.get(rank).add(action);
    }
    release(rank, positions[rank] - 1);
    return true;
  }

  /** Whether one more message may be kept; waits for the first of them where not. */
  private boolean makesRoom(int rank, Action action) {
    Kind alone = training ? Kind.SEND_BACKWARD : Kind.SEND_FORWARD;
    if (action.kind() != alone) {
      return true;
    }
    List<Action> keeping =
        unknown.get(rank).stream()
            .filter(sent -> sent.kind() == alone && receiver(sent) == receiver(action))
            .toList();
    if (keeping.size() < kept) {
      return true;
    }
    int[] taken = whenUsed(keeping.getFirst());
    if (taken == null) {
      return false;
    }
    learn(rank, taken);
    release(rank, positions[rank] - 1);
    return true;
  }

  private void learn(int rank, int[] news) {
    Arrays.setAll(known[rank], other -> Math.max(known[rank][other], news[other]));
  }

  private void release(int rank, int index) {
    List<Action> taken = unknown.get(rank).stream().filter(sent -> isKnown(rank, sent)).toList();
    if (!taken.isEmpty()) {
      unknown.get(rank).removeAll(taken);
      List<Action> all = new ArrayList<>(after.get(rank).get(index));
      all.addAll(taken);
      after.get(rank).set(index, all);
    }
  }

  private boolean isKnown(int rank, Action sent) {
    int to = receiver(sent);
    int[] then = whenUsed(sent);
    return then != null && then[to] <= known[rank][to];
  }

  private static boolean isSend(Action action) {
    return action.kind() == Kind.SEND_FORWARD || action.kind() == Kind.SEND_BACKWARD;
  }

  private int receiver(Action sent) {
    return progress.rankOf(sent.kind() == Kind.SEND_FORWARD ? sent.stage() + 1 : sent.stage() - 1);
  }

  /** What the receiver knew when it had used a message; null when it has not. */
  private int @Nullable [] whenUsed(Action sent) {
    int microBatch = sent.microBatch();
    if (sent.kind() == Kind.SEND_FORWARD) {
      return knowledge.get(new Action(sent.stage() + 1, Kind.FORWARD, microBatch));
    }
    int[] whole = knowledge.get(new Action(sent.stage() - 1, Kind.BACKWARD, microBatch));
    return whole != null
        ? whole
        : knowledge.get(new Action(sent.stage() - 1, Kind.INPUT_GRADIENTS, microBatch));
  }

  /** The message of another rank that an action uses; null when it uses none. */
  private @Nullable Action message(Action use) {
    return switch (use.kind()) {
      case FORWARD -> sentBy(use.stage() - 1, Kind.SEND_FORWARD, use);
      case BACKWARD, INPUT_GRADIENTS -> sentBy(use.stage() + 1, Kind.SEND_BACKWARD, use);
      case WEIGHT_GRADIENTS,
          SEND_FORWARD,
          RECEIVE_FORWARD,
          SEND_BACKWARD,
          RECEIVE_BACKWARD,
          REDUCE_GRADIENTS ->
          null;
    };
  }

  private @Nullable Action sentBy(int stage, Kind send, Action use) {
    boolean elsewhere =
        stage >= 0
            && stage < progress.stages()
            && progress.rankOf(stage) != progress.rankOf(use.stage());
    return elsewhere ? new Action(stage, send, use.microBatch()) : null;
  }
}
