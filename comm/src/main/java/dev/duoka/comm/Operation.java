package dev.duoka.comm;

import java.util.Locale;

/** The kinds of exchange. */
public enum Operation {
  ALL_REDUCE,
  REDUCE_SCATTER,
  ALL_GATHER,
  ALL_TO_ALL,
  BROADCAST,
  SEND,
  RECEIVE,
  /** Numbers of the hosts. */
  AGREE,
  BARRIER,
  SPLIT;

  /** For example {@code all-reduce}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
