package dev.duoka.parallel.schedule;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Proves of a schedule, whoever wrote it, that it computes a step and ends: each stage takes each
 * micro-batch forward and backward once, messages are received in the order in which they are sent,
 * nobody waits for what is never made, and gradients are reduced when they are complete.
 *
 * <p>A send waits for nobody and a receive only makes room; what uses a message waits for it. That
 * is how the executor runs them.
 */
public final class ScheduleCheck {
  /**
   * What a schedule was found to need.
   *
   * @param held by rank, how many forward passes of a stage and a micro-batch have activations at
   *     once, from the forward pass until its last gradients
   */
  public record Report(List<Integer> held) {}

  private final Schedule schedule;
  private final int microBatches;
  private final Progress progress;
  private final Map<Long, List<Action>> sent = new HashMap<>();
  private final Map<Long, Integer> received = new HashMap<>();
  private final Map<Action, Long> arrivals = new HashMap<>();

  private ScheduleCheck(Schedule schedule, int microBatches) {
    this.schedule = schedule;
    this.microBatches = microBatches;
    this.progress = new Progress(schedule);
  }

  /**
   * Plays a schedule, messages included.
   *
   * @throws DuokaException {@code CONFIG} naming the rank and the action where it is wrong
   */
  public static Report check(Schedule schedule, int microBatches) {
    return new ScheduleCheck(schedule, microBatches).play();
  }

  private Report play() {
    int ranks = schedule.ranks().size();
    int[] positions = new int[ranks];
    int[] holding = new int[ranks];
    int[] held = new int[ranks];
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int rank = 0; rank < ranks; rank++) {
        List<Action> own = schedule.ranks().get(rank);
        while (positions[rank] < own.size() && isReady(own.get(positions[rank]))) {
          Action action = own.get(positions[rank]++);
          run(rank, action);
          holding[rank] += change(action);
          held[rank] = Math.max(held[rank], holding[rank]);
          moved = true;
        }
      }
    }
    for (int rank = 0; rank < ranks; rank++) {
      if (positions[rank] < schedule.ranks().get(rank).size()) {
        throw progress.stuck(schedule, positions);
      }
    }
    requireComplete();
    List<Integer> all = new ArrayList<>();
    for (int most : held) {
      all.add(most);
    }
    return new Report(List.copyOf(all));
  }

  private static int change(Action action) {
    return switch (action.kind()) {
      case FORWARD -> 1;
      case BACKWARD, WEIGHT_GRADIENTS -> -1;
      case INPUT_GRADIENTS,
          SEND_FORWARD,
          RECEIVE_FORWARD,
          SEND_BACKWARD,
          RECEIVE_BACKWARD,
          REDUCE_GRADIENTS ->
          0;
    };
  }

  /** What is made elsewhere must have been received, and its message sent. */
  private boolean isReady(Action action) {
    if (!progress.isReady(action)) {
      return false;
    }
    return switch (action.kind()) {
      case FORWARD -> arrived(action, Kind.RECEIVE_FORWARD, action.stage() - 1);
      case BACKWARD, INPUT_GRADIENTS -> arrived(action, Kind.RECEIVE_BACKWARD, action.stage() + 1);
      case WEIGHT_GRADIENTS,
          SEND_FORWARD,
          RECEIVE_FORWARD,
          SEND_BACKWARD,
          RECEIVE_BACKWARD,
          REDUCE_GRADIENTS ->
          true;
    };
  }

  private boolean arrived(Action use, Kind receive, int fromStage) {
    if (fromStage < 0 || fromStage >= progress.stages()) {
      return true;
    }
    int from = progress.rankOf(fromStage);
    int to = progress.rankOf(use.stage());
    if (from == to) {
      return true;
    }
    if (!progress.isDone(use.stage(), receive, use.microBatch())) {
      throw wrong(to, use, "uses what it has not received");
    }
    long number = arrivals.getOrDefault(new Action(use.stage(), receive, use.microBatch()), 0L);
    return sent.getOrDefault(pair(from, to), List.of()).size() > number;
  }

  private void run(int rank, Action action) {
    if (action.microBatch() >= microBatches) {
      throw wrong(rank, action, "there are only " + microBatches + " micro-batches");
    }
    if (!progress.done(action)) {
      throw wrong(rank, action, "is there twice");
    }
    switch (action.kind()) {
      case SEND_FORWARD -> send(rank, action, action.stage() + 1, Kind.RECEIVE_FORWARD);
      case SEND_BACKWARD -> send(rank, action, action.stage() - 1, Kind.RECEIVE_BACKWARD);
      case RECEIVE_FORWARD -> receive(rank, action, action.stage() - 1);
      case RECEIVE_BACKWARD -> receive(rank, action, action.stage() + 1);
      case BACKWARD, INPUT_GRADIENTS -> requireNoSecond(rank, action);
      case REDUCE_GRADIENTS -> requireGradients(rank, action);
      case FORWARD, WEIGHT_GRADIENTS -> {}
    }
  }

  private void send(int rank, Action action, int toStage, Kind receive) {
    int to = otherRank(rank, action, toStage);
    sent.computeIfAbsent(pair(rank, to), _ -> new ArrayList<>())
        .add(new Action(toStage, receive, action.microBatch()));
  }

  private void receive(int rank, Action action, int fromStage) {
    int from = otherRank(rank, action, fromStage);
    int number = received.merge(pair(from, rank), 1, Integer::sum) - 1;
    arrivals.put(action, (long) number);
  }

  private int otherRank(int rank, Action action, int stage) {
    if (stage < 0 || stage >= progress.stages() || progress.rankOf(stage) == rank) {
      throw wrong(rank, action, "there is no other rank with stage " + stage);
    }
    return progress.rankOf(stage);
  }

  private void requireNoSecond(int rank, Action action) {
    Kind other = action.kind() == Kind.BACKWARD ? Kind.INPUT_GRADIENTS : Kind.BACKWARD;
    if (progress.isDone(action.stage(), other, action.microBatch())) {
      throw wrong(rank, action, "this micro-batch went backward before");
    }
  }

  private void requireGradients(int rank, Action action) {
    for (int i = 0; i < microBatches; i++) {
      if (!progress.isDone(action.stage(), Kind.BACKWARD, i)
          && !progress.isDone(action.stage(), Kind.WEIGHT_GRADIENTS, i)) {
        throw wrong(rank, action, "the gradients of micro-batch " + i + " are not there yet");
      }
    }
  }

  private void requireComplete() {
    for (int stage = 0; stage < progress.stages(); stage++) {
      if (!progress.isDone(stage, Kind.REDUCE_GRADIENTS, -1)) {
        throw missing(stage, "its gradients are never reduced");
      }
      for (int i = 0; i < microBatches; i++) {
        if (!progress.isDone(stage, Kind.FORWARD, i)) {
          throw missing(stage, "micro-batch " + i + " never goes forward");
        }
      }
    }
    sent.forEach(
        (pair, messages) -> {
          int from = (int) (pair >> 32);
          int to = pair.intValue();
          List<Action> taken =
              schedule.ranks().get(to).stream()
                  .filter(action -> isReceiveFrom(action, from))
                  .toList();
          if (!taken.equals(messages)) {
            throw new DuokaException(
                ErrorCode.CONFIG,
                "rank "
                    + from
                    + " sends to rank "
                    + to
                    + " for "
                    + messages
                    + " in this order, and"
                    + " rank "
                    + to
                    + " receives "
                    + taken,
                "Receive the messages of each rank in the order in which it sends them");
          }
        });
  }

  private boolean isReceiveFrom(Action action, int from) {
    return switch (action.kind()) {
      case RECEIVE_FORWARD -> progress.rankOf(action.stage() - 1) == from;
      case RECEIVE_BACKWARD -> progress.rankOf(action.stage() + 1) == from;
      case FORWARD,
          BACKWARD,
          INPUT_GRADIENTS,
          WEIGHT_GRADIENTS,
          SEND_FORWARD,
          SEND_BACKWARD,
          REDUCE_GRADIENTS ->
          false;
    };
  }

  private static long pair(int from, int to) {
    return ((long) from << 32) | to;
  }

  private static DuokaException missing(int stage, String what) {
    return new DuokaException(
        ErrorCode.CONFIG,
        "the schedule computes no whole step: of stage " + stage + " " + what,
        "Each stage needs each micro-batch forward and backward, and one reduction");
  }

  private static DuokaException wrong(int rank, Action action, String what) {
    return new DuokaException(
        ErrorCode.CONFIG,
        "the schedule of rank " + rank + " is wrong at " + action + ": " + what,
        "Correct the table, or use a built-in schedule");
  }
}
