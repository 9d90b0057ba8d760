package dev.duoka.measure.comm;

import java.util.Locale;

/** What ranks do together, and which part of its size each link must carry at least. */
public enum Collective {
  ALL_REDUCE,
  REDUCE_SCATTER,
  ALL_GATHER,
  ALL_TO_ALL,
  BROADCAST,
  /** Each rank sends to the next one and receives from the one before it, in a ring. */
  SEND_RECEIVE;

  /**
   * The factor from algorithm bandwidth, size by time, to bus bandwidth, which can be compared with
   * a link's rate whatever the number of ranks: as NVIDIA's nccl-tests define them
   * (doc/PERFORMANCE.md, and src/sendrecv.cu for the ring).
   */
  public double busFactor(int ranks) {
    double others = (ranks - 1.0) / ranks;
    return switch (this) {
      case ALL_REDUCE -> 2 * others;
      case REDUCE_SCATTER, ALL_GATHER, ALL_TO_ALL -> others;
      case BROADCAST, SEND_RECEIVE -> 1;
    };
  }

  /** For example {@code all-reduce}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
