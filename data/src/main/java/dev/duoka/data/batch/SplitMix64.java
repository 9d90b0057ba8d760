package dev.duoka.data.batch;

/**
 * The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014): a bijection of 64-bit numbers that looks random.
 */
final class SplitMix64 {
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;

  private SplitMix64() {}

  static long mix(long value) {
    long z = value + GOLDEN_RATIO;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** One key made of two numbers; the order matters. */
  static long mix(long first, long second) {
    return mix(mix(first) + second);
  }
}
