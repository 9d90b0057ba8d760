package dev.duoka.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RoutedExpertsTests {
  private static final int TOKENS = 20_000;

  @ParameterizedTest
  @CsvSource({
    "64, 6, 1, 1, 1, 4",
    "64, 6, 1, 1, 1, 2",
    "256, 8, 1, 1, 1, 64",
    "8, 2, 1, 1, 1, 8",
    "4, 4, 1, 1, 1, 2",
    "64, 6, 8, 8, 1, 4",
    "160, 6, 8, 3, 1, 8",
    "256, 8, 8, 4, 2, 4",
    "256, 8, 8, 4, 2, 32"
  })
  void theShareIsThatOfTokensThatChooseByTheirScores(
      int experts, int perToken, int groups, int topGroups, int ranking, int ranks) {
    RoutedExperts routed = new RoutedExperts(experts, perToken, groups, topGroups, ranking);
    Random random = new Random(7);
    int met = 0;
    for (int token = 0; token < TOKENS; token++) {
      int[] chosen = routed.choose(random);
      assertThat(chosen).hasSize(perToken).doesNotHaveDuplicates();
      assertThat(Arrays.stream(chosen).map(it -> it / (experts / groups)).distinct().count())
          .isLessThanOrEqualTo(topGroups);
      met += Arrays.stream(chosen).anyMatch(it -> it < experts / ranks) ? 1 : 0;
    }
    assertThat(routed.share(ranks)).isCloseTo((double) met / TOKENS, Offset.offset(0.014));
  }

  /** V2: as many ranks as groups have a token's experts on at most three of eight. */
  @ParameterizedTest
  @CsvSource({"8, 3", "4, 3", "2, 2"})
  void aTokensExpertsLieOnNoMoreRanksThanGroups(int ranks, int most) {
    assertThat(ranks * new RoutedExperts(160, 6, 8, 3, 1).share(ranks))
        .isBetween(1.0, (double) most);
  }
}
