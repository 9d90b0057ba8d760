package dev.duoka.parallel.schedule;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.parallel.schedule.Action.Kind;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Which actions of a schedule were played, and which may be. */
final class Progress {
  private final Map<Integer, Integer> ranks = new HashMap<>();
  private final Map<Kind, Set<Long>> done = new EnumMap<>(Kind.class);
  private final int stages;

  /** Nothing is done yet; stages belong to the ranks that compute them. */
  Progress(Schedule schedule) {
    for (int rank = 0; rank < schedule.ranks().size(); rank++) {
      for (Action action : schedule.ranks().get(rank)) {
        Integer before = ranks.putIfAbsent(action.stage(), rank);
        if (before != null && before != rank) {
          throw new DuokaException(
              ErrorCode.CONFIG,
              "the schedule has stage " + action.stage() + " on ranks " + before + " and " + rank,
              "Give each stage to one rank");
        }
      }
    }
    stages = ranks.size();
    for (int stage = 0; stage < stages; stage++) {
      if (!ranks.containsKey(stage)) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            "the schedule has " + stages + " stages, but no stage " + stage,
            "Number the stages from 0");
      }
    }
    for (Kind kind : Kind.values()) {
      done.put(kind, new HashSet<>());
    }
  }

  int stages() {
    return stages;
  }

  int rankOf(int stage) {
    return Objects.requireNonNull(ranks.get(stage));
  }

  /** Notes an action as played; whether it was not before. */
  boolean done(Action action) {
    return of(action.kind()).add(key(action.stage(), action.microBatch()));
  }

  boolean isDone(int stage, Kind kind, int microBatch) {
    return of(kind).contains(key(stage, microBatch));
  }

  /** Whether what an action needs was made; messages count as there once they are sent. */
  boolean isReady(Action action) {
    int stage = action.stage();
    int microBatch = action.microBatch();
    return switch (action.kind()) {
      case FORWARD -> stage == 0 || isDone(stage - 1, Kind.FORWARD, microBatch);
      case BACKWARD, INPUT_GRADIENTS ->
          isDone(stage, Kind.FORWARD, microBatch)
              && (stage == stages - 1 || hasInputGradients(stage + 1, microBatch));
      case WEIGHT_GRADIENTS -> isDone(stage, Kind.INPUT_GRADIENTS, microBatch);
      case SEND_FORWARD -> isDone(stage, Kind.FORWARD, microBatch);
      case SEND_BACKWARD -> hasInputGradients(stage, microBatch);
      case RECEIVE_FORWARD, RECEIVE_BACKWARD, REDUCE_GRADIENTS -> true;
    };
  }

  private boolean hasInputGradients(int stage, int microBatch) {
    return isDone(stage, Kind.BACKWARD, microBatch)
        || isDone(stage, Kind.INPUT_GRADIENTS, microBatch);
  }

  /** The error of a schedule in which nobody can go on. */
  DuokaException stuck(Schedule schedule, int[] positions) {
    StringBuilder waiting = new StringBuilder();
    for (int rank = 0; rank < positions.length; rank++) {
      List<Action> own = schedule.ranks().get(rank);
      if (positions[rank] < own.size()) {
        waiting.append(waiting.isEmpty() ? "" : ", ");
        waiting.append("rank ").append(rank).append(" at ").append(own.get(positions[rank]));
      }
    }
    return new DuokaException(
        ErrorCode.CONFIG,
        "the schedule cannot end: " + waiting + " wait for each other or for what nobody makes",
        "Order each rank's actions so that what one needs is made before");
  }

  private Set<Long> of(Kind kind) {
    return Objects.requireNonNull(done.get(kind));
  }

  private static long key(int stage, int microBatch) {
    return ((long) stage << 32) | (microBatch & 0xFFFFFFFFL);
  }
}
