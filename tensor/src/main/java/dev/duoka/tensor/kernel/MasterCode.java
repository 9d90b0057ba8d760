package dev.duoka.tensor.kernel;

/**
 * A weight in fp32 as its nearest bf16 and a remainder of 16 bits: their bits, the remainder with a
 * sign, add up to the weight's. A weight in the middle between two is rounded to the even one; one
 * that lies above the even one would leave a remainder of 32,768, and becomes its neighbour below:
 * one of 131,072 weights, by half of what fp32 resolves. All others are kept to the bit. The
 * kernels of {@code adamw.cu} do the same.
 *
 * <p>TransformerEngine's FusedAdam keeps remainders in the same way ({@code
 * store_param_remainders}).
 */
final class MasterCode {
  private MasterCode() {}

  /** The bits of the nearest bf16, of two the even one. */
  static short nearest(float whole) {
    int bits = Float.floatToRawIntBits(whole);
    if ((bits & 0x7fffffff) > 0x7f800000) {
      return (short) 0x7fff; // the carry would make NaN a number
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** What is left of a weight beside its nearest bf16. */
  static short remainder(float whole, short nearest) {
    return (short) Math.min(Float.floatToRawIntBits(whole) - (nearest << 16), Short.MAX_VALUE);
  }

  /** The weight. */
  static float whole(short nearest, short remainder) {
    return Float.intBitsToFloat((nearest << 16) + remainder);
  }
}
