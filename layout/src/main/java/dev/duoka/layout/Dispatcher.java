package dev.duoka.layout;

import java.util.Locale;

/** How the rows of tokens get to experts on other ranks, and their results back. */
public enum Dispatcher {
  /** The one that {@link #resolved} finds. */
  AUTO,
  /**
   * All rows go to all ranks of the experts' group, and the sums come back by reduce-scatter: the
   * host waits for one number alone.
   */
  ALL_GATHER,
  /** Each row goes once to each rank that has an expert of its; the host makes the plan. */
  ALL_TO_ALL;

  /** The part of the tokens with an expert on one rank, from which on all rows go there. */
  private static final double MOST = 0.5;

  /**
   * This one; for {@link #AUTO} the one that moves about as few bytes with the least waiting.
   *
   * @param ranks over which the experts are spread
   */
  public Dispatcher resolved(RoutedExperts experts, int ranks) {
    if (this != AUTO) {
      return this;
    }
    return experts.share(ranks) >= MOST ? ALL_GATHER : ALL_TO_ALL;
  }

  /**
   * Of the rows of a rank, how many each of the other ranks gets from it on average, as a part of
   * all its rows.
   *
   * @param ranks over which the experts are spread
   */
  public double sent(RoutedExperts experts, int ranks) {
    return resolved(experts, ranks) == ALL_GATHER ? 1 : experts.share(ranks);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
