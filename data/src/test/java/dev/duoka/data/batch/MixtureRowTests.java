package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MixtureRowTests {
  private static Shares shares(String... weights) {
    return Shares.of(Arrays.stream(weights).map(BigDecimal::new).toList());
  }

  @Test
  void sharesAreExactRatios() {
    assertThat(shares("0.3", "0.7")).hasToString("3:7");
    assertThat(shares("1", "1.0", "1.00")).hasToString("1:1:1");
    assertThat(shares("2e3", "500")).hasToString("4:1");
    assertThat(shares("0.5").of(0)).isEqualTo(1);
    Shares rounded = shares("0.333333333333", "1", "1e-11");
    assertThat(rounded.whole()).isBetween((1L << 30) - 3, (1L << 30) + 3);
    assertThat(rounded.of(0)).isCloseTo(0.25, within(1e-8));
    assertThat(rounded.part(2)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "1e-60"})
  void aWeightThatIsNoneIsRefused(String weight) {
    assertThatThrownBy(() -> shares("1", weight))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot have the weight");
  }

  /** After any number of sequences; between any two places therefore less than two. */
  @Test
  void eachSourceIsWithinOneSequenceOfItsShare() {
    Random random = new Random(20);
    for (int draw = 0; draw < 60; draw++) {
      String[] weights = new String[1 + random.nextInt(9)];
      int largest = draw % 2 == 0 ? 9 : 5000;
      Arrays.setAll(weights, _ -> "" + (1 + random.nextInt(largest)));
      Shares shares = shares(weights);
      MixtureRow row = new MixtureRow(shares, draw);
      long[] taken = new long[weights.length];
      for (long k = 1; k <= Math.min(30_000, 2 * shares.whole() + 3); k++) {
        taken[row.next()]++;
        double furthest = 0;
        boolean counted = true;
        for (int source = 0; source < taken.length; source++) {
          double share = (double) shares.part(source) / shares.whole();
          furthest = Math.max(furthest, Math.abs(taken[source] - k * share));
          counted &= row.taken(source) == taken[source];
        }
        if (furthest >= 1 || !counted) {
          fail("%s after %d: %s", shares, k, Arrays.toString(taken));
        }
      }
    }
  }

  @Test
  void anyPlaceIsReachedFromAnyOther() {
    Shares shares = shares("5", "2.5", "0.7", "11");
    MixtureRow straight = new MixtureRow(shares, 3);
    int[] sources = new int[3000];
    long[][] taken = new long[sources.length][];
    for (int k = 0; k < sources.length; k++) {
      taken[k] = new long[] {straight.taken(0), straight.taken(1), straight.taken(2)};
      sources[k] = straight.next();
    }
    Random random = new Random(4);
    MixtureRow jumping = new MixtureRow(shares, 3);
    for (int jump = 0; jump < 500; jump++) {
      int k = random.nextInt(sources.length);
      jumping.seek(k);
      assertThat(jumping.taken(0)).isEqualTo(taken[k][0]);
      assertThat(jumping.taken(2)).isEqualTo(taken[k][2]);
      assertThat(jumping.coming()).isEqualTo(sources[k]);
      if (random.nextBoolean()) {
        assertThat(jumping.next()).isEqualTo(sources[k]);
      }
    }
    MixtureRow far = new MixtureRow(shares, 3);
    far.seek(shares.whole() * 1_000_000_000L + 7);
    assertThat(far.taken(3)).isBetween(shares.part(3) * 1_000_000_000L, Long.MAX_VALUE);
  }

  @Test
  void theSeedDecidesBetweenEquals() {
    Shares even = shares("1", "1");
    List<List<Integer>> rows = new ArrayList<>();
    for (long seed = 0; seed < 2; seed++) {
      MixtureRow row = new MixtureRow(even, seed);
      List<Integer> first = new ArrayList<>();
      for (int k = 0; k < 64; k++) {
        first.add(row.next());
      }
      rows.add(first);
      // Neither source has the same place of each pair.
      assertThat(first).isNotEqualTo(repeated(0, 1)).isNotEqualTo(repeated(1, 0));
    }
    assertThat(rows.get(0)).isNotEqualTo(rows.get(1));
  }

  private static List<Integer> repeated(int first, int second) {
    Integer[] row = new Integer[64];
    Arrays.setAll(row, k -> k % 2 == 0 ? first : second);
    return List.of(row);
  }

  /** Ten million draws hold three numbers a source and no more, and are over in a moment. */
  @Test
  void tenMillionDrawsComeOut() {
    Shares shares = shares("0.41", "0.2301", "0.15", "0.12", "0.05", "0.02", "0.0199");
    MixtureRow row = new MixtureRow(shares, 9);
    long draws = 10_000_000;
    long[] taken = new long[shares.count()];
    for (long k = 0; k < draws; k++) {
      taken[row.next()]++;
    }
    for (int source = 0; source < taken.length; source++) {
      assertThat(Math.abs(taken[source] - draws * shares.of(source))).isLessThan(1.001);
    }
  }
}
