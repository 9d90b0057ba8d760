package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random models on random meshes, in fp64 against one rank. {@code -Dduoka.draws} says how many,
 * {@code -Dduoka.seed} from which number on; both are printed with the table of pairs.
 */
class RandomMeshTests {
  private static final int DRAWS = Integer.getInteger("duoka.draws", 200);
  private static final long SEED = Long.getLong("duoka.seed", 20_261_128L);

  /** Pairs that no layout has: one schedule or stage at a time, and what needs experts or heads. */
  private static boolean canMeet(String a, String b) {
    for (String one : List.of("zero ", "recompute ", "pipeline ")) {
      if (a.startsWith(one) && b.startsWith(one)) {
        return false;
      }
    }
    String pair = a + "|" + b;
    return !pair.contains("latent attention")
        || !pair.contains("grouped queries") && !pair.contains("copies of heads");
  }

  @Test
  void everyDrawIsAsOneRank() {
    List<String> wrong = new ArrayList<>();
    Map<String, Integer> pairs = new TreeMap<>();
    int done = 0;
    int refused = 0;
    for (long number = SEED; done < DRAWS; number++) {
      Optional<Draw> drawn = Draw.of(number);
      if (drawn.isEmpty()) {
        refused++;
        continue;
      }
      done++;
      Draw draw = drawn.get();
      count(draw, pairs);
      List<String> differences =
          Equality.differences(draw.trial().run(), draw.trial().onOneRank().run(), true);
      if (!differences.isEmpty()) {
        wrong.add(number + " " + draw.features() + " " + draw.trial().mesh() + ": " + differences);
      }
    }
    System.out.printf("seed %d, %d draws, %d refused%n", SEED, done, refused);
    pairs.forEach((pair, times) -> System.out.printf("%4d  %s%n", times, pair));
    assertThat(wrong).isEmpty();
  }

  private static void count(Draw draw, Map<String, Integer> pairs) {
    List<String> features = List.copyOf(draw.features());
    for (int i = 0; i < features.size(); i++) {
      for (int j = i + 1; j < features.size(); j++) {
        String a = features.get(i);
        String b = features.get(j);
        if (canMeet(a, b)) {
          pairs.merge(a.compareTo(b) < 0 ? a + " + " + b : b + " + " + a, 1, Integer::sum);
        }
      }
    }
  }
}
