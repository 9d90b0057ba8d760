package dev.duoka.parallel.schedule;

import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What each rank of a pipeline does in a step, in order.
 *
 * @param ranks one list for each rank of the pipeline
 */
public record Schedule(List<List<Action>> ranks) {
  public Schedule {
    ranks = ranks.stream().map(List::copyOf).toList();
  }

  /** One rank without a pipeline: each micro-batch forward and backward, then the reduction. */
  public static Schedule withoutPipeline(int microBatches) {
    List<Action> actions = new ArrayList<>();
    for (int microBatch = 0; microBatch < microBatches; microBatch++) {
      actions.add(new Action(0, Kind.FORWARD, microBatch));
      actions.add(new Action(0, Kind.BACKWARD, microBatch));
    }
    actions.add(new Action(0, Kind.REDUCE_GRADIENTS, -1));
    return new Schedule(List.of(actions));
  }

  /**
   * One stage a rank, all micro-batches forward, then all backward (GPipe, Huang et al.,
   * arXiv:1811.06965).
   */
  public static Schedule allForwardAllBackward(int stages, int microBatches) {
    List<List<Action>> ranks = new ArrayList<>();
    for (int stage = 0; stage < stages; stage++) {
      List<Action> actions = new ArrayList<>();
      for (int microBatch = 0; microBatch < microBatches; microBatch++) {
        addIf(actions, stage > 0, new Action(stage, Kind.RECEIVE_FORWARD, microBatch));
        actions.add(new Action(stage, Kind.FORWARD, microBatch));
        addIf(actions, stage < stages - 1, new Action(stage, Kind.SEND_FORWARD, microBatch));
      }
      for (int microBatch = 0; microBatch < microBatches; microBatch++) {
        addIf(actions, stage < stages - 1, new Action(stage, Kind.RECEIVE_BACKWARD, microBatch));
        actions.add(new Action(stage, Kind.BACKWARD, microBatch));
        addIf(actions, stage > 0, new Action(stage, Kind.SEND_BACKWARD, microBatch));
      }
      actions.add(new Action(stage, Kind.REDUCE_GRADIENTS, -1));
      ranks.add(actions);
    }
    return new Schedule(ranks);
  }

  private static void addIf(List<Action> actions, boolean wanted, Action action) {
    if (wanted) {
      actions.add(action);
    }
  }

  /** A schedule in the notation of torch.distributed.pipelining: a line for each rank. */
  public static Schedule parse(String csv) {
    return new Schedule(
        csv.lines()
            .map(
                line ->
                    List.of(line.split(",")).stream()
                        .filter(cell -> !cell.isBlank())
                        .map(Action::parse)
                        .toList())
            .toList());
  }

  /** The notation that {@link #parse} reads. */
  public String csv() {
    return ranks.stream()
        .map(actions -> actions.stream().map(Action::toString).collect(Collectors.joining(",")))
        .collect(Collectors.joining("\n", "", "\n"));
  }
}
