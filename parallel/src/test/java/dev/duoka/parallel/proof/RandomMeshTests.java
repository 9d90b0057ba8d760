package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * Random models on random meshes, in fp64 against one rank. {@code -Dduoka.draws} says how many,
 * {@code -Dduoka.seed} from which number on; both are printed with the table of pairs.
 */
class RandomMeshTests {
  /** Enough for every pair that there can be. */
  private static final int USUAL_DRAWS = 95;

  private static final int DRAWS = Integer.getInteger("duoka.draws", USUAL_DRAWS);
  private static final long SEED = Long.getLong("duoka.seed", 20_261_128L);

  /** How often each pair is to be met. */
  private static final int EACH_PAIR = 2;

  /** A pair that was not drawn by then cannot be. */
  private static final long MOST_DRAWN = 200_000;

  /** Draws beyond this are made only for pairs that were not met often enough. */
  private static final double FREE_SHARE = 0.3;

  /** Whether a layout can have both. */
  private static boolean canMeet(String a, String b) {
    for (String one : List.of("zero ", "recompute ", "pipeline ", "states in host memory")) {
      if (a.startsWith(one) && b.startsWith(one)) {
        return false; // one of each kind at a time
      }
    }
    String pair = a + "|" + b;
    if (pair.contains("copies of heads")) {
      // Four tensor ranks for two heads leave two ranks for anything else; experts have all heads.
      return !pair.contains("latent attention")
          && !pair.contains("further tokens")
          && !pair.contains("expert");
    }
    return !(pair.contains("latent attention") && pair.contains("grouped queries"))
        && !(pair.contains("grouped queries") && pair.contains("further tokens"));
  }

  @Test
  void everyDrawIsAsOneRank() throws InterruptedException, ExecutionException {
    Map<Long, Draw> draws = new LinkedHashMap<>();
    Map<String, Integer> pairs = new TreeMap<>();
    int refused = 0;
    for (long number = SEED; draws.size() < DRAWS; number++) {
      assertThat(number).as("draws with what is rare").isLessThan(SEED + MOST_DRAWN);
      Optional<Draw> drawn = Draw.of(number);
      if (drawn.isEmpty()) {
        refused++;
      } else if (draws.size() <= FREE_SHARE * DRAWS || isWanted(drawn.get(), pairs)) {
        draws.put(number, drawn.get());
        count(drawn.get(), pairs);
      }
    }
    System.out.printf("seed %d, %d draws, %d refused%n", SEED, draws.size(), refused);
    pairs.forEach((pair, times) -> System.out.printf("%4d  %s%n", times, pair));
    assertThat(refused).as("draws that cannot be laid out").isLessThan(DRAWS / 4);
    if (DRAWS >= USUAL_DRAWS) {
      assertThat(rare(pairs)).as("pairs that were met less than %d times", EACH_PAIR).isEmpty();
    }
    assertThat(wrong(draws)).isEmpty();
  }

  /** Two at a time: the ranks of one wait for each other most of the time. */
  private static List<String> wrong(Map<Long, Draw> draws)
      throws InterruptedException, ExecutionException {
    List<String> wrong = new ArrayList<>();
    try (ExecutorService two = Executors.newFixedThreadPool(2)) {
      List<Future<String>> all = new ArrayList<>();
      draws.forEach((number, draw) -> all.add(two.submit(() -> differences(number, draw))));
      for (Future<String> one : all) {
        String differences = one.get();
        if (!differences.isEmpty()) {
          wrong.add(differences);
        }
      }
    }
    return wrong;
  }

  private static String differences(long number, Draw draw) {
    List<Equality.Difference> found =
        Equality.FP64.differences(draw.trial().run(), draw.trial().onOneRank().run());
    return found.isEmpty()
        ? ""
        : number + " " + draw.features() + " " + draw.trial().mesh() + ": " + found;
  }

  /** Whether a draw has a pair that is still too rare; any, once none is. */
  private static boolean isWanted(Draw draw, Map<String, Integer> pairs) {
    List<String> rare = rare(pairs);
    return rare.isEmpty() || pairsOf(draw).stream().anyMatch(rare::contains);
  }

  private static List<String> rare(Map<String, Integer> pairs) {
    List<String> features = Draw.allFeatures();
    List<String> rare = new ArrayList<>();
    for (int i = 0; i < features.size(); i++) {
      for (int j = i + 1; j < features.size(); j++) {
        String pair = pair(features.get(i), features.get(j));
        if (canMeet(features.get(i), features.get(j)) && pairs.getOrDefault(pair, 0) < EACH_PAIR) {
          rare.add(pair);
        }
      }
    }
    return rare;
  }

  private static String pair(String a, String b) {
    return a.compareTo(b) < 0 ? a + " + " + b : b + " + " + a;
  }

  private static List<String> pairsOf(Draw draw) {
    List<String> features = List.copyOf(draw.features());
    List<String> pairs = new ArrayList<>();
    for (int i = 0; i < features.size(); i++) {
      for (int j = i + 1; j < features.size(); j++) {
        pairs.add(pair(features.get(i), features.get(j)));
      }
    }
    return pairs;
  }

  private static void count(Draw draw, Map<String, Integer> pairs) {
    pairsOf(draw).forEach(pair -> pairs.merge(pair, 1, Integer::sum));
  }
}
