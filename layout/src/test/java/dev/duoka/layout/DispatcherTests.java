package dev.duoka.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DispatcherTests {
  @ParameterizedTest
  @CsvSource({"64, 6, 4", "64, 6, 2", "256, 8, 64", "8, 2, 8", "4, 4, 2"})
  void theShareIsThatOfTokensThatChooseByChance(int experts, int perToken, int ranks) {
    int tokens = 20_000;
    int met = 0;
    Random random = new Random(7);
    int[] order = IntStream.range(0, experts).toArray();
    for (int token = 0; token < tokens; token++) {
      boolean onFirst = false;
      for (int i = 0; i < perToken; i++) {
        int at = i + random.nextInt(experts - i);
        int chosen = order[at];
        order[at] = order[i];
        order[i] = chosen;
        onFirst |= chosen < experts / ranks;
      }
      met += onFirst ? 1 : 0;
    }
    assertThat(Dispatcher.share(experts, perToken, ranks))
        .isCloseTo((double) met / tokens, Offset.offset(0.012));
  }

  @ParameterizedTest
  @CsvSource({
    "AUTO, 64, 6, 4, ALL_GATHER, 1",
    "AUTO, 256, 8, 64, ALL_TO_ALL, 0.12",
    "ALL_TO_ALL, 64, 6, 4, ALL_TO_ALL, 0.836",
    "ALL_GATHER, 256, 8, 64, ALL_GATHER, 1"
  })
  void manyRanksGetOnlyWhatTheyNeed(
      Dispatcher asked, int experts, int perToken, int ranks, Dispatcher is, double sent) {
    assertThat(asked.resolved(experts, perToken, ranks)).isEqualTo(is);
    assertThat(asked.sent(experts, perToken, ranks)).isCloseTo(sent, Offset.offset(0.005));
  }
}
