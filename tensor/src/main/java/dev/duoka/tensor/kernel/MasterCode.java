package dev.duoka.tensor.kernel;

/**
 * A weight in fp32 as its nearest bf16 and a remainder of 16 bits: their bits, the remainder with a
 * sign, add up to the weight's. A weight in the middle between two is rounded to the even one; one
 * that lies above the even one would leave a remainder of 32,768, and becomes its neighbour below:
 * one of 131,072 weights, by its last bit. All others are kept to the bit. The kernels of {@code
 * adamw.cu} do the same.
 *
 * <p>The two belong together: a remainder beside a weight that was written without it makes some
 * other number, beside zero even NaN. Whoever writes weights lets their masters be adopted.
 *
 * <p>TransformerEngine's FusedAdam keeps remainders in the same way ({@code
 * store_param_remainders}).
 */
final class MasterCode {
  private MasterCode() {}

  /** The bits of the nearest bf16, of two the even one; all NaN become one, as in CUDA. */
  static short nearest(float whole) {
    return (short) nearest(Float.floatToRawIntBits(whole));
  }

  // Without a branch, so that loops of it become vectors.
  private static int nearest(int bits) {
    int isNan = (0x7f800000 - (bits & 0x7fffffff)) >> 31; // all ones, or none
    int near = (bits + 0x7fff + ((bits >>> 16) & 1)) >> 16;
    return (near & ~isNan) | (0x7fff & isNan);
  }

  /** What is left of a weight beside its nearest bf16. */
  static short remainder(float whole, short nearest) {
    return (short) Math.min(Float.floatToRawIntBits(whole) - (nearest << 16), Short.MAX_VALUE);
  }

  /** The weight. */
  static float whole(short nearest, short remainder) {
    return Float.intBitsToFloat((nearest << 16) + remainder);
  }

  /**
   * {@link #whole} of many.
   *
   * @param bits to work in, as long as the others
   */
  static void join(short[] nearest, short[] remainders, int[] bits, float[] whole, int length) {
    // A loop for each pair of types: the compiler makes no vectors of three.
    for (int i = 0; i < length; i++) {
      bits[i] = (nearest[i] << 16) + remainders[i];
    }
    for (int i = 0; i < length; i++) {
      whole[i] = Float.intBitsToFloat(bits[i]);
    }
  }

  /**
   * {@link #nearest} and {@link #remainder} of many.
   *
   * @param bits to work in, as long as the others
   */
  static void split(float[] whole, int[] bits, short[] nearest, short[] remainders, int length) {
    for (int i = 0; i < length; i++) {
      int of = Float.floatToRawIntBits(whole[i]);
      int near = nearest(of);
      nearest[i] = (short) near;
      bits[i] = of - (near << 16);
    }
    for (int i = 0; i < length; i++) {
      remainders[i] = (short) Math.min(bits[i], Short.MAX_VALUE);
    }
  }
}
