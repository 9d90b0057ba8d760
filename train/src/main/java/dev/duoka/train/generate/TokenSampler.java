package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Chooses tokens by their logits; one for each text. */
final class TokenSampler {
  private final Sampling sampling;
  private final SplittableRandom random;

  TokenSampler(Sampling sampling) {
    this.sampling = sampling;
    this.random = new SplittableRandom(sampling.seed());
  }

  /** The chosen token of the first {@code candidates} logits. */
  int next(float[] logits, int candidates) {
    int best = best(logits, candidates);
    if (sampling.temperature() == 0) {
      return best;
    }
    boolean all = sampling.topP() == 1 && (sampling.topK() == 0 || sampling.topK() >= candidates);
    int[] tokens = all ? inOrder(candidates) : byLogit(logits, candidates);
    int kept = sampling.topK() == 0 ? candidates : Math.min(sampling.topK(), candidates);
    double[] weights = new double[kept];
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      double distance = (double) logits[tokens[i]] - logits[best];
      weights[i] = Math.exp(distance / sampling.temperature());
      sum += weights[i];
    }
    if (sampling.topP() < 1) {
      double reached = 0;
      int needed = 0;
      while (needed < kept && reached < sampling.topP() * sum) {
        reached += weights[needed++];
      }
      kept = needed;
      sum = reached;
    }
    return tokens[draw(weights, kept, sum)];
  }

  private int draw(double[] weights, int count, double sum) {
    double left = random.nextDouble() * sum;
    for (int i = 0; i < count; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return lastPossible(weights, count); // Rounding may leave a little over.
  }

  private static int lastPossible(double[] weights, int count) {
    int last = count - 1;
    while (last > 0 && weights[last] == 0) {
      last--;
    }
    return last;
  }

  private static int best(float[] logits, int candidates) {
    int best = 0;
    for (int token = 0; token < candidates; token++) {
      if (Float.isNaN(logits[token])) {
        throw new DuokaException(
            ErrorCode.NUMERICS,
            "the model's logit of token " + token + " is not a number",
            "The weights are broken or the precision is too low; try an earlier checkpoint or"
                + " fp32");
      }
      if (logits[token] > logits[best]) {
        best = token;
      }
    }
    return best;
  }

  private static int[] inOrder(int count) {
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> i);
    return tokens;
  }

  /** The tokens with the largest logits first, the lower id first where they are equal. */
  private static int[] byLogit(float[] logits, int count) {
    long[] keys = new long[count];
    for (int token = 0; token < count; token++) {
      int bits = Float.floatToIntBits(logits[token]);
      int ascending = bits >= 0 ? bits : bits ^ 0x7FFFFFFF; // orders as the numbers do
      keys[token] = ((long) ~ascending << 32) | token;
    }
    Arrays.sort(keys);
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> (int) keys[i]);
    return tokens;
  }
}
