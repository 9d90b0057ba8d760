package dev.duoka.comm;

import java.util.Locale;

/** The kinds of exchange, as ledgers and errors name them. */
public enum Operation {
  ALL_REDUCE,
  REDUCE_SCATTER,
  ALL_GATHER,
  ALL_TO_ALL,
  BROADCAST,
  SEND,
  RECEIVE,
  /** A sum of the hosts' numbers. */
  AGREE,
  BARRIER,
  SPLIT;

  /** For example {@code all-reduce}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
