package dev.duoka.model;

import dev.duoka.formats.modelconfig.RopeConfig;
import dev.duoka.formats.modelconfig.RopeScaling;

/**
 * How fast each pair of a rotary embedding turns, in radians per position.
 *
 * <p>Computed in fp32, step by step as PyTorch implementations do: at position 10,000 the rounding
 * of a frequency is already 1e-3 radians, and released weights were trained with exactly that.
 */
final class RotaryFrequencies {
  private RotaryFrequencies() {}

  /** One frequency per pair of the {@code width} rotated elements. */
  static float[] of(RopeConfig rope, int width) {
    float[] periods = new float[width / 2];
    for (int pair = 0; pair < periods.length; pair++) {
      periods[pair] = (float) Math.pow(rope.theta(), 2f * pair / width);
    }
    float[] frequencies = new float[periods.length];
    for (int pair = 0; pair < periods.length; pair++) {
      frequencies[pair] =
          switch (rope.scaling()) {
            case RopeScaling.None() -> 1 / periods[pair];
            case RopeScaling.Linear(double factor) -> 1 / periods[pair] / (float) factor;
            case RopeScaling.Llama3 llama3 -> blended(1 / periods[pair], llama3);
            case RopeScaling.Yarn yarn -> stretched(pair, periods[pair], yarn, rope.theta(), width);
          };
    }
    return frequencies;
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
  private static float stretched(
      int pair, float period, RopeScaling.Yarn yarn, double theta, int width) {
    double low = Math.max(0, Math.floor(pairThatTurns(yarn.betaFast(), yarn, theta, width)));
    double high =
        Math.min(width - 1, Math.ceil(pairThatTurns(yarn.betaSlow(), yarn, theta, width)));
    float span = high == low ? 0.001f : (float) (high - low);
    float kept = 1 - Math.clamp((pair - (float) low) / span, 0f, 1f);
    return 1 / ((float) yarn.factor() * period) * (1 - kept) + 1 / period * kept;
  }

  /** Llama 3.1: by how often the pair turns within the original context, in fp32 as there. */
  private static float blended(float frequency, RopeScaling.Llama3 llama3) {
    float factor = (float) llama3.factor();
    float length = (float) (2 * Math.PI) / frequency;
    if (length < (float) (llama3.originalMaxPositions() / llama3.highFrequencyFactor())) {
      return frequency;
    }
    if (length > (float) (llama3.originalMaxPositions() / llama3.lowFrequencyFactor())) {
      return frequency / factor;
    }
    float low = (float) llama3.lowFrequencyFactor();
    float kept =
        (llama3.originalMaxPositions() / length - low)
            / ((float) llama3.highFrequencyFactor() - low);
    return (1 - kept) * frequency / factor + kept * frequency;
  }

  /** The (fractional) pair that makes this many turns over the original positions. */
  private static double pairThatTurns(
      double turns, RopeScaling.Yarn yarn, double theta, int width) {
    return width
        * Math.log(yarn.originalMaxPositions() / (turns * 2 * Math.PI))
        / (2 * Math.log(theta));
  }
}
