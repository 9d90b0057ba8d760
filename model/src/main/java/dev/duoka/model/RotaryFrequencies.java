package dev.duoka.model;

import dev.duoka.formats.modelconfig.RopeConfig;
import dev.duoka.formats.modelconfig.RopeScaling;

/** How fast each pair of a rotary embedding turns, in radians per position. */
final class RotaryFrequencies {
  private RotaryFrequencies() {}

  /** One frequency per pair of the {@code width} rotated elements. */
  static double[] of(RopeConfig rope, int width) {
    double[] frequencies = new double[width / 2];
    for (int pair = 0; pair < frequencies.length; pair++) {
      frequencies[pair] = Math.pow(rope.theta(), -2.0 * pair / width);
    }
    return switch (rope.scaling()) {
      case RopeScaling.None() -> frequencies;
      case RopeScaling.Linear(double factor) -> {
        for (int pair = 0; pair < frequencies.length; pair++) {
          frequencies[pair] /= factor;
        }
        yield frequencies;
      }
      case RopeScaling.Yarn yarn -> stretched(frequencies, yarn, rope.theta());
    };
  }

  /** What cosines and sines are multiplied by. */
  static double amplitude(RopeConfig rope) {
    return rope.scaling() instanceof RopeScaling.Yarn yarn ? yarn.rotationScale() : 1;
  }

  /**
   * YaRN (Peng et al., arXiv:2309.00071 §3.2): pairs that turn often within the original context
   * keep their frequency, pairs that turn rarely are slowed by the whole factor, a linear ramp
   * between. The ramp's ends are rounded outward to whole pairs, as DeepSeek's code does.
   */
  private static double[] stretched(double[] frequencies, RopeScaling.Yarn yarn, double theta) {
    int width = frequencies.length * 2;
    double low = Math.max(0, Math.floor(pairThatTurns(yarn.betaFast(), yarn, theta, width)));
    double high =
        Math.min(width - 1, Math.ceil(pairThatTurns(yarn.betaSlow(), yarn, theta, width)));
    double span = high == low ? 0.001 : high - low;
    double[] result = new double[frequencies.length];
    for (int pair = 0; pair < result.length; pair++) {
      double slowed = Math.clamp((pair - low) / span, 0, 1);
      result[pair] = frequencies[pair] / yarn.factor() * slowed + frequencies[pair] * (1 - slowed);
    }
    return result;
  }

  /** The (fractional) pair that makes this many turns over the original positions. */
  private static double pairThatTurns(
      double turns, RopeScaling.Yarn yarn, double theta, int width) {
    return width
        * Math.log(yarn.originalMaxPositions() / (turns * 2 * Math.PI))
        / (2 * Math.log(theta));
  }
}
