package dev.duoka.parallel.schedule;

import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * When each action of a schedule runs, from how long its parts take: ranks compute one thing at a
 * time in their order, messages travel beside that, and a computation starts when its rank is free
 * and its message has arrived. Reductions take no time here.
 *
 * @param entries in the order of their start
 * @param seconds from the first start to the last end
 */
public record Timeline(List<Entry> entries, double seconds) {
  /**
   * How long one micro-batch takes in a stage, in seconds.
   *
   * @param forward the forward pass
   * @param inputGradients the input gradients
   * @param weightGradients the weight gradients
   * @param message to send its output to the next stage, or the gradient of its input back
   */
  public record StageTime(
      double forward, double inputGradients, double weightGradients, double message) {
    /** Of an action that computes; 0 of any other. */
    public double of(Kind kind) {
      return switch (kind) {
        case FORWARD -> forward;
        case BACKWARD -> inputGradients + weightGradients;
        case INPUT_GRADIENTS -> inputGradients;
        case WEIGHT_GRADIENTS -> weightGradients;
        case SEND_FORWARD, RECEIVE_FORWARD, SEND_BACKWARD, RECEIVE_BACKWARD, REDUCE_GRADIENTS -> 0;
      };
    }
  }

  /** A computation of a rank, in seconds from the step's start. */
  public record Entry(int rank, Action action, double start, double end) {}

  public Timeline {
    entries = List.copyOf(entries);
  }

  /**
   * The timeline of a schedule that {@link ScheduleCheck} has passed.
   *
   * @param stages how long each stage takes
   */
  public static Timeline of(Schedule schedule, List<StageTime> stages) {
    Progress progress = new Progress(schedule);
    int ranks = schedule.ranks().size();
    int[] positions = new int[ranks];
    double[] free = new double[ranks];
    Map<Action, Double> ends = new HashMap<>();
    List<Entry> entries = new ArrayList<>();
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int rank = 0; rank < ranks; rank++) {
        List<Action> own = schedule.ranks().get(rank);
        while (positions[rank] < own.size() && progress.isReady(own.get(positions[rank]))) {
          Action action = own.get(positions[rank]++);
          progress.done(action);
          moved = true;
          StageTime time = stages.get(action.stage());
          if (time.of(action.kind()) > 0) {
            double start = Math.max(free[rank], arrival(action, progress, stages, ends));
            free[rank] = start + time.of(action.kind());
            ends.put(action, free[rank]);
            entries.add(new Entry(rank, action, start, free[rank]));
          }
        }
      }
    }
    for (int rank = 0; rank < ranks; rank++) {
      if (positions[rank] < schedule.ranks().get(rank).size()) {
        throw progress.stuck(schedule, positions);
      }
    }
    entries.sort(Comparator.comparingDouble(Entry::start).thenComparingInt(Entry::rank));
    double last = entries.stream().mapToDouble(Entry::end).max().orElse(0);
    return new Timeline(entries, last);
  }

  /** Seconds in which a rank computes nothing. */
  public double idle(int rank) {
    return seconds
        - entries.stream()
            .filter(entry -> entry.rank() == rank)
            .mapToDouble(entry -> entry.end() - entry.start())
            .sum();
  }

  private static double arrival(
      Action action, Progress progress, List<StageTime> stages, Map<Action, Double> ends) {
    int stage = action.stage();
    return switch (action.kind()) {
      case FORWARD ->
          stage == 0
              ? 0
              : end(ends, stage - 1, action.microBatch(), Kind.FORWARD)
                  + message(progress, stages, stage - 1, stage);
      case BACKWARD, INPUT_GRADIENTS ->
          stage == progress.stages() - 1
              ? 0
              : Math.max(
                      end(ends, stage + 1, action.microBatch(), Kind.BACKWARD),
                      end(ends, stage + 1, action.microBatch(), Kind.INPUT_GRADIENTS))
                  + message(progress, stages, stage + 1, stage);
      case WEIGHT_GRADIENTS,
          SEND_FORWARD,
          RECEIVE_FORWARD,
          SEND_BACKWARD,
          RECEIVE_BACKWARD,
          REDUCE_GRADIENTS ->
          0;
    };
  }

  private static double end(Map<Action, Double> ends, int stage, int microBatch, Kind kind) {
    return ends.getOrDefault(new Action(stage, kind, microBatch), 0.0);
  }

  private static double message(Progress progress, List<StageTime> stages, int from, int to) {
    return progress.rankOf(from) == progress.rankOf(to) ? 0 : stages.get(from).message();
  }
}
