package dev.duoka.layout;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/**
 * Among which experts a router chooses those of a token.
 *
 * @param experts of the model, E
 * @param perToken experts of each token, k
 * @param groups of consecutive experts, as large as each other
 * @param topGroups from how many of them a token's experts come
 * @param ranking of how many of its best scores the sum ranks a group
 */
public record RoutedExperts(int experts, int perToken, int groups, int topGroups, int ranking) {
  /** Tokens whose choices are drawn to know a share: its error is a thousandth or two. */
  private static final int DRAWN = 16_384;

  private static final long SEED = 20_261_129;

  private record Key(RoutedExperts experts, int ranks) {}

  private static final Map<Key, Double> DRAWN_SHARES = new ConcurrentHashMap<>();

  /** Experts all of which a token may choose. */
  public RoutedExperts(int experts, int perToken) {
    this(experts, perToken, 1, 1, 1);
  }

  /**
   * The part of the tokens that have an expert on any one of some ranks, on average over these,
   * where scores are equally distributed and neighbouring experts lie on each rank. Without limit
   * by groups it is 1 − C(E − E/r, k) / C(E, k). With one it is drawn, the same each time: groups
   * are chosen by their best scores, so that those that are chosen have more of a token's experts
   * than by chance, and no closed form of C(n, k) holds (it is up to 9 % too low).
   *
   * @param ranks over which they are spread, r
   */
  public double share(int ranks) {
    return topGroups == groups
        ? byChance(ranks)
        : DRAWN_SHARES.computeIfAbsent(new Key(this, ranks), RoutedExperts::drawn);
  }

  private double byChance(int ranks) {
    int each = experts / ranks;
    double missed = 1;
    for (int i = 0; i < perToken; i++) {
      missed *= Math.max(0, experts - each - i) / (double) (experts - i);
    }
    return 1 - missed;
  }

  private static double drawn(Key key) {
    RandomGenerator random = new SplittableRandom(SEED);
    int each = key.experts.experts / key.ranks;
    long met = 0;
    for (int token = 0; token < DRAWN; token++) {
      met += Arrays.stream(key.experts.choose(random)).map(it -> it / each).distinct().count();
    }
    return (double) met / DRAWN / key.ranks;
  }

  /** The experts of a token with random scores, the best first, as a router chooses them. */
  public int[] choose(RandomGenerator random) {
    double[] scores = random.doubles(experts).toArray();
    if (topGroups < groups) {
      leaveBestGroups(scores);
    }
    return best(scores, perToken);
  }

  /** Makes every score outside of the best groups less than any other. */
  private void leaveBestGroups(double[] scores) {
    int each = experts / groups;
    double[] sums = new double[groups];
    for (int group = 0; group < groups; group++) {
      double[] sorted = Arrays.copyOfRange(scores, group * each, (group + 1) * each);
      Arrays.sort(sorted);
      for (int i = 1; i <= Math.min(ranking, each); i++) {
        sums[group] += sorted[each - i];
      }
    }
    boolean[] stays = new boolean[groups];
    for (int group : best(sums, topGroups)) {
      stays[group] = true;
    }
    for (int expert = 0; expert < experts; expert++) {
      if (!stays[expert / each]) {
        scores[expert] = Double.NEGATIVE_INFINITY;
      }
    }
  }

  /** Where the greatest are. */
  private static int[] best(double[] scores, int count) {
    boolean[] taken = new boolean[scores.length];
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      int best = -1;
      for (int at = 0; at < scores.length; at++) {
        if (!taken[at] && (best < 0 || scores[at] > scores[best])) {
          best = at;
        }
      }
      taken[best] = true;
      places[i] = best;
    }
    return places;
  }
}
