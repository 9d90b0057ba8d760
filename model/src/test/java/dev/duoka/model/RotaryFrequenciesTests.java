package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.duoka.formats.modelconfig.RopeConfig;
import dev.duoka.formats.modelconfig.RopeScaling;
import org.junit.jupiter.api.Test;

final class RotaryFrequenciesTests {
  private static final int WIDTH = 128;
  private static final double THETA = 500_000;

  private static float[] of(RopeScaling scaling, double theta, int width) {
    return RotaryFrequencies.of(new RopeConfig(theta, scaling, false), width);
  }

  /** Against the definition, in fp64. */
  @Test
  void llama3KeepsFastPairsSlowsSlowOnesAndBlendsBetween() {
    float[] plain = of(new RopeScaling.None(), THETA, WIDTH);
    float[] blended = of(new RopeScaling.Llama3(8, 1, 4, 8192), THETA, WIDTH);
    int kept = 0;
    int slowed = 0;
    for (int pair = 0; pair < plain.length; pair++) {
      double frequency = Math.pow(THETA, -2.0 * pair / WIDTH);
      double turns = 8192 * frequency / (2 * Math.PI);
      double share = Math.clamp((turns - 1) / 3, 0, 1);
      double expected = frequency * ((1 - share) / 8 + share);
      assertThat(blended[pair] / expected).as("pair %d", pair).isCloseTo(1, offset(2e-6));
      kept += blended[pair] == plain[pair] ? 1 : 0;
      slowed += blended[pair] == plain[pair] / 8 ? 1 : 0;
    }
    assertThat(kept).isEqualTo(29);
    assertThat(slowed).isEqualTo(29);
  }

  /** Kimi-K2's: transformers rounds the ends of the ramp outward, so it is one pair wide. */
  @Test
  void yarnWithEqualBetasIsARampOfOnePair() {
    double theta = 50_000;
    int width = 64;
    float[] plain = of(new RopeScaling.None(), theta, width);
    float[] stretched = of(new RopeScaling.Yarn(32, 4096, 1, 1, 1, 1), theta, width);
    // 64 · ln(4096 / 2π) / (2 · ln 50,000) = 19.17: pairs up to 19 keep their frequency.
    for (int pair = 0; pair < plain.length; pair++) {
      float expected = pair <= 19 ? plain[pair] : plain[pair] / 32;
      assertThat(stretched[pair] / expected).as("pair %d", pair).isCloseTo(1f, offset(1e-6f));
    }
  }
}
