package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.function.RouterRule.GroupScore;
import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** To how many ranks tokens go is what the router makes of random scores. */
final class RoutedExpertsTests {
  private static final int TOKENS = 6000;

  @ParameterizedTest
  @CsvSource({
    "64, 6, 1, 1, MAXIMUM, 8",
    "160, 6, 8, 3, MAXIMUM, 4",
    "160, 6, 8, 3, MAXIMUM, 16",
    "256, 8, 8, 4, SUM_OF_TOP_TWO, 2",
    "256, 8, 8, 4, SUM_OF_TOP_TWO, 8",
    "256, 8, 8, 4, SUM_OF_TOP_TWO, 32"
  })
  void ranksOfATokenAreThoseThatTheRouterChooses(
      int experts, int perToken, int groups, int topGroups, GroupScore score, int ranks) {
    RouterRule rule =
        new RouterRule(experts, perToken, Scoring.SIGMOID, groups, topGroups, score, false, 1);
    int ranking = score == GroupScore.MAXIMUM ? 1 : 2;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs random = new Inputs(11, Dtype.FLOAT32, TestDevice.current());
      long[] chosen =
          HostCopy.longs(ExpertChoice.choose(random.normal(TOKENS, experts), null, rule));
      double met = 0;
      for (int token = 0; token < TOKENS; token++) {
        met +=
            Arrays.stream(chosen, token * perToken, (token + 1) * perToken)
                .map(it -> it / (experts / ranks))
                .distinct()
                .count();
      }
      // Of six thousand tokens the mean is known to three standard deviations of 0.002.
      assertThat(new RoutedExperts(experts, perToken, groups, topGroups, ranking).share(ranks))
          .isCloseTo(met / TOKENS / ranks, Offset.offset(0.008));
    }
  }
}
