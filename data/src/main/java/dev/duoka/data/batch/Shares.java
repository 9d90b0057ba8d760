package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;

/**
 * How often each source of a mixture comes, as whole numbers: {@code part(i)} of every {@link
 * #whole} sequences are of source {@code i}.
 *
 * <p>Weights are decimal numbers, so their ratios are kept exactly: 0.3 and 0.7 are 3 and 7 of 10.
 * Where that would take a whole of more than 2³¹, shares are rounded to parts of 2³⁰, and none to
 * nothing.
 */
public final class Shares {
  /** The square of it fits into a long. */
  private static final long LARGEST_WHOLE = 1L << 31;

  private static final long ROUNDED_WHOLE = 1L << 30;

  /** Digits of a weight beyond which no two of them are told apart. */
  private static final int MOST_DIGITS = 40;

  private final long[] parts;
  private final long whole;

  private Shares(long[] parts) {
    this.parts = parts;
    this.whole = Arrays.stream(parts).sum();
  }

  /**
   * The shares of weights.
   *
   * @param weights each above 0, in any unit
   */
  public static Shares of(List<BigDecimal> weights) {
    if (weights.isEmpty()) {
      throw new IllegalArgumentException("a mixture of nothing");
    }
    weights.forEach(Shares::check);
    int scale = weights.stream().mapToInt(BigDecimal::scale).max().orElseThrow();
    List<BigInteger> exact =
        weights.stream().map(weight -> weight.setScale(scale).unscaledValue()).toList();
    BigInteger divisor = exact.stream().reduce(BigInteger.ZERO, BigInteger::gcd);
    BigInteger sum = exact.stream().reduce(BigInteger.ZERO, BigInteger::add);
    if (sum.divide(divisor).bitLength() <= Long.numberOfTrailingZeros(LARGEST_WHOLE)) {
      return new Shares(
          exact.stream().mapToLong(part -> part.divide(divisor).longValueExact()).toArray());
    }
    BigDecimal all = new BigDecimal(sum);
    return new Shares(
        exact.stream()
            .map(part -> new BigDecimal(part.multiply(BigInteger.valueOf(ROUNDED_WHOLE))))
            .mapToLong(part -> part.divide(all, 0, RoundingMode.HALF_EVEN).longValueExact())
            .map(part -> Math.max(1, part))
            .toArray());
  }

  private static void check(BigDecimal weight) {
    if (weight.signum() <= 0 || Math.abs(weight.scale()) + weight.precision() > MOST_DIGITS) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "a source cannot have the weight " + weight,
          "Give each source a weight above 0 of at most 20 digits, for example 0.3.");
    }
  }

  /** Number of sources. */
  public int count() {
    return parts.length;
  }

  /** How many of {@link #whole} sequences are of a source. */
  public long part(int source) {
    return parts[source];
  }

  /** After so many sequences each source has had exactly its share. */
  public long whole() {
    return whole;
  }

  /** The share of a source, above 0 and at most 1. */
  public double of(int source) {
    return (double) parts[source] / whole;
  }

  /** For example {@code 3:7}: equal texts, equal mixtures. */
  @Override
  public String toString() {
    return String.join(":", Arrays.stream(parts).mapToObj(Long::toString).toList());
  }
}
