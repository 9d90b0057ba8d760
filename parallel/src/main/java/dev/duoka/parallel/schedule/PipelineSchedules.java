package dev.duoka.parallel.schedule;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.layout.PipelineKind;
import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The schedules of a pipeline that are made here, with their messages; any other is read by {@link
 * Schedule#parse}. Stage {@code s} of {@code v} stages a rank lies on rank {@code s mod ranks}.
 *
 * <p>With p ranks, m micro-batches and a rank's times F, I and W for its forward pass, its input
 * gradients and its weight gradients of one micro-batch, a rank idles for
 *
 * <table>
 * <caption>Idle time of a rank, and micro-batches whose activations the first rank holds</caption>
 * <tr><th>schedule</th><th>idle</th><th>held</th></tr>
 * <tr><td>GPipe, 1F1B</td><td>(p − 1)(F + I + W)</td><td>m; min(m, p)</td></tr>
 * <tr><td>interleaved, v stages a rank</td><td>(p − 1)(F + I + W) / v</td>
 *     <td>(v + 1) p − 1, of 1/v of the layers each</td></tr>
 * <tr><td>zero bubble H1</td><td>(p − 1)(F + I − W) where F = I = W</td><td>min(m, p)</td></tr>
 * </table>
 */
public final class PipelineSchedules {
  private PipelineSchedules() {}

  /**
   * The schedule of one step.
   *
   * @param ranks of the pipeline
   * @param stagesPerRank 1 except for {@link PipelineKind#INTERLEAVED}
   */
  public static Schedule of(PipelineKind kind, int ranks, int stagesPerRank, int microBatches) {
    if (ranks == 1) {
      return Schedule.withoutPipeline(microBatches);
    }
    return switch (kind) {
      case GPIPE -> allForwardAllBackward(ranks, microBatches);
      case ONE_F_ONE_B -> oneForwardOneBackward(ranks, microBatches);
      case INTERLEAVED -> interleaved(ranks, stagesPerRank, microBatches);
      case ZERO_BUBBLE -> zeroBubble(ranks, microBatches);
    };
  }

  /**
   * All micro-batches forward, then all backward (GPipe, Huang et al., arXiv:1811.06965). Holds the
   * activations of all micro-batches.
   */
  public static Schedule allForwardAllBackward(int ranks, int microBatches) {
    check(ranks, microBatches);
    return lowered(
        IntStream.range(0, ranks)
            .mapToObj(
                rank -> {
                  List<Action> actions = new ArrayList<>();
                  for (int i = 0; i < microBatches; i++) {
                    actions.add(new Action(rank, Kind.FORWARD, i));
                  }
                  for (int i = 0; i < microBatches; i++) {
                    actions.add(new Action(rank, Kind.BACKWARD, i));
                  }
                  return actions;
                })
            .toList());
  }

  /**
   * One forward, one backward (Narayanan et al., PipeDream-Flush, arXiv:2006.09503 §3.2): rank r
   * holds at most p − r micro-batches.
   */
  public static Schedule oneForwardOneBackward(int ranks, int microBatches) {
    check(ranks, microBatches);
    return interleaved(ranks, 1, microBatches);
  }

  /**
   * Several stages a rank, each of a part of its layers, in rounds of p micro-batches (Narayanan et
   * al., arXiv:2104.04473 §2.2): less idle time for more messages.
   *
   * @param stagesPerRank v; 1 is one forward, one backward
   * @throws DuokaException {@code CONFIG} where several stages a rank meet micro-batches that do
   *     not divide into rounds
   */
  public static Schedule interleaved(int ranks, int stagesPerRank, int microBatches) {
    check(ranks, microBatches);
    if (stagesPerRank > 1 && microBatches % ranks != 0) {
      int below = microBatches / ranks * ranks;
      throw new DuokaException(
          ErrorCode.CONFIG,
          "an interleaved schedule of "
              + ranks
              + " ranks goes in rounds of as many micro-batches, and there are "
              + microBatches,
          "Nearest valid: " + (below == 0 ? "" : below + " or ") + (below + ranks));
    }
    List<List<Action>> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      Rounds rounds = new Rounds(ranks, stagesPerRank, rank);
      int total = microBatches * stagesPerRank;
      int ahead =
          stagesPerRank == 1
              ? ranks - rank - 1
              : 2 * (ranks - rank - 1) + (stagesPerRank - 1) * ranks;
      int warmUp = Math.min(total, ahead);
      List<Action> actions = new ArrayList<>();
      for (int i = 0; i < warmUp; i++) {
        actions.add(rounds.forward(i));
      }
      for (int i = 0; i < total; i++) {
        if (warmUp + i < total) {
          actions.add(rounds.forward(warmUp + i));
        }
        actions.add(rounds.backward(i, Kind.BACKWARD));
      }
      all.add(actions);
    }
    return lowered(all);
  }

  /**
   * Zero bubble, handcrafted form H1 (Qi et al., arXiv:2401.10241 §2.3): as one forward, one
   * backward, but weight gradients are apart, and rank r puts them off by r micro-batches, which
   * fills the time that it would wait. Every rank holds at most p micro-batches.
   */
  public static Schedule zeroBubble(int ranks, int microBatches) {
    check(ranks, microBatches);
    List<List<Action>> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      int warmUp = Math.min(microBatches, ranks - rank - 1);
      List<Action> actions = new ArrayList<>();
      for (int i = 0; i < warmUp; i++) {
        actions.add(new Action(rank, Kind.FORWARD, i));
      }
      for (int i = 0; i < microBatches; i++) {
        if (warmUp + i < microBatches) {
          actions.add(new Action(rank, Kind.FORWARD, warmUp + i));
        }
        actions.add(new Action(rank, Kind.INPUT_GRADIENTS, i));
        if (i >= rank) {
          actions.add(new Action(rank, Kind.WEIGHT_GRADIENTS, i - rank));
        }
      }
      for (int i = Math.max(0, microBatches - rank); i < microBatches; i++) {
        actions.add(new Action(rank, Kind.WEIGHT_GRADIENTS, i));
      }
      all.add(actions);
    }
    return lowered(all);
  }

  /**
   * Forward passes alone, as validation wants them. A rank with several stages takes as many
   * micro-batches through one as there are ranks before it turns to the next, so that all work.
   *
   * @param rankOfStages where each stage lies
   */
  public static Schedule forwardOnly(List<Integer> rankOfStages, int ranks, int microBatches) {
    check(ranks, microBatches);
    List<List<Action>> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      List<Action> actions = new ArrayList<>();
      for (int first = 0; first < microBatches; first += ranks) {
        for (int stage = 0; stage < rankOfStages.size(); stage++) {
          for (int i = first; i < Math.min(first + ranks, microBatches); i++) {
            if (rankOfStages.get(stage) == rank) {
              actions.add(new Action(stage, Kind.FORWARD, i));
            }
          }
        }
      }
      all.add(actions);
    }
    return lowered(all);
  }

  /** The order in which a rank of an interleaved schedule takes its stages and micro-batches. */
  private record Rounds(int ranks, int stagesPerRank, int rank) {
    Action forward(int number) {
      return new Action(stage(part(number)), Kind.FORWARD, microBatch(number));
    }

    Action backward(int number, Kind kind) {
      return new Action(stage(stagesPerRank - 1 - part(number)), kind, microBatch(number));
    }

    private int part(int number) {
      return number % (ranks * stagesPerRank) / ranks;
    }

    private int stage(int part) {
      return part * ranks + rank;
    }

    private int microBatch(int number) {
      return stagesPerRank == 1
          ? number
          : number / (ranks * stagesPerRank) * ranks + number % ranks;
    }
  }

  private static Schedule lowered(List<? extends List<Action>> computations) {
    return Messages.added(new Schedule(List.copyOf(computations)));
  }

  private static void check(int ranks, int microBatches) {
    if (ranks < 1 || microBatches < 1) {
      throw new IllegalArgumentException(ranks + " ranks, " + microBatches + " micro-batches");
    }
  }
}
