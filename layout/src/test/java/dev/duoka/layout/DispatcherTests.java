package dev.duoka.layout;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DispatcherTests {
  @ParameterizedTest
  @CsvSource({
    "AUTO, 64, 6, 4, ALL_GATHER, 1",
    "AUTO, 256, 8, 64, ALL_TO_ALL, 0.12",
    "ALL_TO_ALL, 64, 6, 4, ALL_TO_ALL, 0.836",
    "ALL_GATHER, 256, 8, 64, ALL_GATHER, 1"
  })
  void manyRanksGetOnlyWhatTheyNeed(
      Dispatcher asked, int experts, int perToken, int ranks, Dispatcher is, double sent) {
    RoutedExperts routed = new RoutedExperts(experts, perToken);
    assertThat(asked.resolved(routed, ranks)).isEqualTo(is);
    assertThat(asked.sent(routed, ranks)).isCloseTo(sent, Offset.offset(0.005));
  }

  /**
   * V2 and V3 over eight ranks, which get 0.56 and 0.66 of the tokens without a limit by groups.
   */
  @ParameterizedTest
  @CsvSource({"160, 6, 8, 3, 1", "256, 8, 8, 4, 2"})
  void limitedToGroupsFewerTokensGoToEachRank(
      int experts, int perToken, int groups, int topGroups, int ranking) {
    assertThat(Dispatcher.AUTO.resolved(new RoutedExperts(experts, perToken), 8))
        .isEqualTo(Dispatcher.ALL_GATHER);
    assertThat(
            Dispatcher.AUTO.resolved(
                new RoutedExperts(experts, perToken, groups, topGroups, ranking), 8))
        .isEqualTo(Dispatcher.ALL_TO_ALL);
  }
}
