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
   * The part of the tokens that have an expert on any one rank, where experts are chosen by chance:
   * 1 − C(E − E/r, k) / C(E, k). More than it is where a token may choose of some groups of experts
   * alone, and ranks are as many as groups.
   *
   * @param experts of the model, E
   * @param perToken of each token, k
   * @param ranks over which they are spread, r
   */
  public static double share(int experts, int perToken, int ranks) {
    int each = experts / ranks;
    double missed = 1;
    for (int i = 0; i < perToken; i++) {
      missed *= Math.max(0, experts - each - i) / (double) (experts - i);
    }
    return 1 - missed;
  }

  /**
   * This one; for {@link #AUTO} the one that moves about as few bytes with the least waiting. The
   * arguments are those of {@link #share}.
   */
  public Dispatcher resolved(int experts, int perToken, int ranks) {
    if (this != AUTO) {
      return this;
    }
    return share(experts, perToken, ranks) >= MOST ? ALL_GATHER : ALL_TO_ALL;
  }

  /**
   * Of the rows of a rank, how many each of the other ranks gets from it on average, as a part of
   * all its rows. The arguments are those of {@link #share}.
   */
  public double sent(int experts, int perToken, int ranks) {
    return resolved(experts, perToken, ranks) == ALL_GATHER ? 1 : share(experts, perToken, ranks);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
