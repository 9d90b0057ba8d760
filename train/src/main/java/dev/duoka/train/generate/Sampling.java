package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * How the next token is chosen, applied in this order.
 *
 * @param temperature the logits are divided by it; 0 always takes the most likely token
 * @param topK only the so many most likely tokens; 0 for all
 * @param topP only the fewest most likely tokens whose probabilities reach it; 1 for all (Holtzman
 *     et al., arXiv:1904.09751)
 * @param seed equal seeds give equal texts
 * @param maxTokens the most tokens to generate
 */
public record Sampling(double temperature, int topK, double topP, long seed, int maxTokens) {
  public Sampling {
    require(
        temperature >= 0 && Double.isFinite(temperature), "temperature", temperature, "0 or more");
    require(topK >= 0, "top-k", topK, "0 or more");
    require(topP > 0 && topP <= 1, "top-p", topP, "above 0 and at most 1");
    require(maxTokens >= 1, "the number of tokens", maxTokens, "1 or more");
  }

  /** Always the most likely token. */
  public static Sampling greedy(int maxTokens) {
    return new Sampling(0, 0, 1, 0, maxTokens);
  }

  private static void require(boolean condition, String name, Number value, String range) {
    if (!condition) {
      throw new DuokaException(
          ErrorCode.USAGE, "cannot generate with " + name + " " + value, "It must be " + range);
    }
  }
}
