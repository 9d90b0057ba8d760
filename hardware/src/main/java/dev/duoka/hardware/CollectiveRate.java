package dev.duoka.hardware;

import java.util.List;

/**
 * Bus bandwidth of collectives for large messages on one kind of machine.
 *
 * @param cards the cards it holds for
 * @param link how they are connected
 * @param gpus how many take part
 * @param allReduce GB/s
 * @param allGather GB/s; 0 where nobody measured it
 * @param reduceScatter GB/s; 0 where nobody measured it
 * @param allToAll GB/s; 0 where nobody measured it
 * @param basis whether it was measured
 * @param source by whom
 */
public record CollectiveRate(
    List<String> cards,
    Interconnect link,
    int gpus,
    double allReduce,
    double allGather,
    double reduceScatter,
    double allToAll,
    Basis basis,
    String source) {
  public CollectiveRate {
    cards = List.copyOf(cards);
  }

  /** The rate of one collective; where it is absent, that of the all-reduce. */
  public double of(Collective collective) {
    double value =
        switch (collective) {
          case ALL_REDUCE -> allReduce;
          case ALL_GATHER -> allGather;
          case REDUCE_SCATTER -> reduceScatter;
          case ALL_TO_ALL -> allToAll;
        };
    return value > 0 ? value : allReduce;
  }

  /** Whether somebody measured that collective. */
  public boolean has(Collective collective) {
    return switch (collective) {
      case ALL_REDUCE -> true;
      case ALL_GATHER -> allGather > 0;
      case REDUCE_SCATTER -> reduceScatter > 0;
      case ALL_TO_ALL -> allToAll > 0;
    };
  }
}
