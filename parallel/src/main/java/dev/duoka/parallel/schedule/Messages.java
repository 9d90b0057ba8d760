package dev.duoka.parallel.schedule;

import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Adds to a schedule of computations the messages between its stages, and the reduction of each
 * stage's gradients (the lowering of torch/distributed/pipelining/schedules.py: {@code
 * _add_send_recv}, {@code _add_reduce_grad}).
 *
 * <p>Ranks have no tags to tell messages apart, so between two ranks they must be received in the
 * order in which they are sent. The schedule is therefore played step by step, and each message
 * enters both lists when it is sent: a receive then stands where the message is on its way, at or
 * before its use.
 */
final class Messages {
  private final Schedule computations;
  private final Progress progress;
  private final List<List<Action>> all = new ArrayList<>();
  private final int[] positions;

  private Messages(Schedule computations) {
    this.computations = computations;
    this.progress = new Progress(computations);
    this.positions = new int[computations.ranks().size()];
    computations.ranks().forEach(_ -> all.add(new ArrayList<>()));
  }

  /**
   * The same schedule with its messages.
   *
   * @param computations with no message and no reduction in it
   * @throws dev.duoka.base.DuokaException {@code CONFIG} when it cannot end
   */
  static Schedule added(Schedule computations) {
    return new Messages(computations).play();
  }

  private Schedule play() {
    while (!done()) {
      List<Action> ready = new ArrayList<>();
      for (int rank = 0; rank < positions.length; rank++) {
        List<Action> own = computations.ranks().get(rank);
        if (positions[rank] < own.size() && progress.isReady(own.get(positions[rank]))) {
          ready.add(own.get(positions[rank]));
          positions[rank]++;
        }
      }
      if (ready.isEmpty()) {
        throw progress.stuck(computations, positions);
      }
      ready.forEach(this::append);
      ready.forEach(progress::done);
    }
    addReductions();
    return new Schedule(all);
  }

  private boolean done() {
    for (int rank = 0; rank < positions.length; rank++) {
      if (positions[rank] < computations.ranks().get(rank).size()) {
        return false;
      }
    }
    return true;
  }

  private void append(Action action) {
    int rank = progress.rankOf(action.stage());
    all.get(rank).add(action);
    switch (action.kind()) {
      case FORWARD -> message(action, action.stage() + 1, Kind.SEND_FORWARD, Kind.RECEIVE_FORWARD);
      case BACKWARD, INPUT_GRADIENTS ->
          message(action, action.stage() - 1, Kind.SEND_BACKWARD, Kind.RECEIVE_BACKWARD);
      case WEIGHT_GRADIENTS,
          SEND_FORWARD,
          RECEIVE_FORWARD,
          SEND_BACKWARD,
          RECEIVE_BACKWARD,
          REDUCE_GRADIENTS -> {}
    }
  }

  /** Stages of one rank hand over what they made without a message. */
  private void message(Action action, int toStage, Kind send, Kind receive) {
    if (toStage < 0 || toStage >= progress.stages()) {
      return;
    }
    int from = progress.rankOf(action.stage());
    int to = progress.rankOf(toStage);
    if (from != to) {
      all.get(from).add(new Action(action.stage(), send, action.microBatch()));
      all.get(to).add(new Action(toStage, receive, action.microBatch()));
    }
  }

  /** Behind the last gradients of its stage: from there on they are complete. */
  private void addReductions() {
    for (List<Action> actions : all) {
      Map<Integer, Integer> last = new HashMap<>();
      for (int i = 0; i < actions.size(); i++) {
        Kind kind = actions.get(i).kind();
        if (kind == Kind.BACKWARD || kind == Kind.WEIGHT_GRADIENTS) {
          last.put(actions.get(i).stage(), i);
        }
      }
      last.entrySet().stream()
          .sorted(Map.Entry.<Integer, Integer>comparingByValue().reversed())
          .forEach(
              entry ->
                  actions.add(
                      behindMessages(actions, entry.getValue()),
                      new Action(entry.getKey(), Kind.REDUCE_GRADIENTS, -1)));
    }
  }

  /** What is sent first is needed first: another stage waits for it. */
  private static int behindMessages(List<Action> actions, int last) {
    int index = last + 1;
    while (index < actions.size() && actions.get(index).kind() == Kind.SEND_BACKWARD) {
      index++;
    }
    return index;
  }
}
