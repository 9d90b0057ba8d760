package dev.duoka.train.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import org.junit.jupiter.api.Test;

class TokenSamplerTests {
  private static final int DRAWS = 40_000;

  /** Logits of the probabilities 0.1, 0.4, 0.05, 0.25, 0.2. */
  private static final float[] LOGITS = logits(0.1, 0.4, 0.05, 0.25, 0.2);

  @Test
  void drawsByProbability() {
    assertFrequencies(new Sampling(1, 0, 1, 11, 1), 0.1, 0.4, 0.05, 0.25, 0.2);
  }

  @Test
  void temperatureSharpens() {
    // At temperature 1/2 the probabilities are squared: 0.01, 0.16, 0.0025, 0.0625, 0.04.
    double sum = 0.275;
    assertFrequencies(
        new Sampling(0.5, 0, 1, 12, 1),
        0.01 / sum,
        0.16 / sum,
        0.0025 / sum,
        0.0625 / sum,
        0.04 / sum);
  }

  @Test
  void topKKeepsTheMostLikely() {
    assertFrequencies(new Sampling(1, 2, 1, 13, 1), 0, 0.4 / 0.65, 0, 0.25 / 0.65, 0);
    assertFrequencies(new Sampling(1, 99, 1, 13, 1), 0.1, 0.4, 0.05, 0.25, 0.2);
  }

  @Test
  void topPKeepsTheFewestThatReachIt() {
    assertFrequencies(new Sampling(1, 0, 0.7, 14, 1), 0, 0.4 / 0.85, 0, 0.25 / 0.85, 0.2 / 0.85);
    assertFrequencies(new Sampling(1, 0, 0.01, 14, 1), 0, 1, 0, 0, 0);
    // After top-k, the rest counts as the whole: 0.4 / 0.65 reaches 0.6.
    assertFrequencies(new Sampling(1, 2, 0.6, 14, 1), 0, 1, 0, 0, 0);
  }

  @Test
  void zeroTemperatureTakesTheBest() {
    TokenSampler sampler = new TokenSampler(Sampling.greedy(1));
    assertThat(sampler.next(LOGITS, 5)).isEqualTo(1);
    assertThat(sampler.next(new float[] {-3, -1, -1, -2}, 4)).isEqualTo(1);
  }

  @Test
  void onlyCandidatesAreDrawn() {
    TokenSampler sampler = new TokenSampler(new Sampling(5, 0, 1, 15, 1));
    float[] logits = {0, 0, 100};
    for (int draw = 0; draw < 100; draw++) {
      assertThat(sampler.next(logits, 2)).isLessThan(2);
    }
  }

  @Test
  void impossibleTokensAreNeverDrawn() {
    float[] logits = {Float.NEGATIVE_INFINITY, 1, Float.NEGATIVE_INFINITY, -1};
    for (Sampling sampling :
        new Sampling[] {new Sampling(1, 0, 1, 16, 1), new Sampling(1, 3, 0.999, 16, 1)}) {
      TokenSampler sampler = new TokenSampler(sampling);
      for (int draw = 0; draw < 1000; draw++) {
        assertThat(sampler.next(logits, 4)).isIn(1, 3);
      }
    }
  }

  @Test
  void logitsThatAreNoNumbersAreAnError() {
    TokenSampler sampler = new TokenSampler(Sampling.greedy(1));
    assertThatThrownBy(() -> sampler.next(new float[] {1, Float.NaN}, 2))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("not a number");
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    assertRefused(() -> new Sampling(-1, 0, 1, 0, 1), "temperature -1.0");
    assertRefused(() -> new Sampling(Double.NaN, 0, 1, 0, 1), "temperature NaN");
    assertRefused(() -> new Sampling(1, -1, 1, 0, 1), "top-k -1");
    assertRefused(() -> new Sampling(1, 0, 0, 0, 1), "top-p 0.0");
    assertRefused(() -> new Sampling(1, 0, 1.1, 0, 1), "top-p 1.1");
    assertRefused(() -> new Sampling(1, 0, 1, 0, 0), "number of tokens 0");
  }

  private static void assertRefused(Runnable making, String words) {
    assertThatThrownBy(making::run).isInstanceOf(DuokaException.class).hasMessageContaining(words);
  }

  /** The seed is fixed; five standard deviations of a frequency are 0.0125 at most. */
  private static void assertFrequencies(Sampling sampling, double... expected) {
    TokenSampler sampler = new TokenSampler(sampling);
    int[] counts = new int[expected.length];
    for (int draw = 0; draw < DRAWS; draw++) {
      counts[sampler.next(LOGITS, expected.length)]++;
    }
    for (int token = 0; token < expected.length; token++) {
      double frequency = (double) counts[token] / DRAWS;
      assertThat(frequency)
          .as("token %s of %s", token, sampling)
          .isCloseTo(
              expected[token],
              within(expected[token] == 0 || expected[token] == 1 ? 1e-12 : 0.0125));
    }
  }

  private static float[] logits(double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (Math.log(probabilities[i]) - 7);
    }
    return logits;
  }
}
