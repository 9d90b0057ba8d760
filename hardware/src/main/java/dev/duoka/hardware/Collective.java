package dev.duoka.hardware;

/** An operation that the ranks of a group call together. */
public enum Collective {
  ALL_REDUCE,
  ALL_GATHER,
  REDUCE_SCATTER,
  ALL_TO_ALL
}
