package dev.duoka.tensor.kernel;

import java.nio.charset.StandardCharsets;

/**
 * Random bits, those that decide which way a number is rounded when an update narrows it among
 * them: a function of seed, update, the weight's name and the element's place in the whole weight,
 * so that they are the same wherever the weight is held. Mixed as in SplitMix64 (Steele, Lea and
 * Flood, "Fast splittable pseudorandom number generators", 2014).
 */
public final class ChanceBits {
  static final long STEP = 0x9E3779B97F4A7C15L;
  private static final long FNV_PRIME = 0x100000001B3L;
  private static final long FNV_START = 0xCBF29CE484222325L;

  private ChanceBits() {}

  /** What stands for a weight. */
  public static long ofName(String name) {
    long hash = FNV_START;
    for (byte one : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (one & 0xff)) * FNV_PRIME;
    }
    return mix(hash);
  }

  /** What stands for one update of a run. */
  public static long ofUpdate(long seed, long update) {
    return mix(mix(seed) + update * STEP);
  }

  /** What stands for an update of a weight. */
  public static long key(long ofName, long ofUpdate) {
    return mix(ofName + ofUpdate);
  }

  /** 64 random bits: the lowest 16 for the weight, then 20 for each moment. */
  static long of(long key, long element) {
    return mix(key + element * STEP);
  }

  /** {@link #of} of neighbouring elements, the first at {@code bits[at]}. */
  static void of(long key, long element, long[] bits, int at, int count) {
    long first = key + element * STEP;
    for (int i = 0; i < count; i++) {
      bits[at + i] = mix(first + i * STEP);
    }
  }

  private static long mix(long bits) {
    long mixed = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
