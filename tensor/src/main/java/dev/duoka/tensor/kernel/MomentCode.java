package dev.duoka.tensor.kernel;

/**
 * Moments in few bits. In 8 bits a number is kept relative to the largest of its block, which a
 * scale holds: the second moment, never negative, with 5 bits of exponent and 3 of mantissa, and
 * what is not zero stays so, since updates divide by it; the first with a sign, 4 bits of exponent
 * and 3 of mantissa, and below the smallest it is that or zero.
 *
 * <p>With random bits a number becomes either neighbour with the chance that keeps it on average;
 * with {@link #NEAREST} the nearer one. What a code stands for is encoded as itself either way. The
 * kernels of {@code adamw.cu} do the same.
 */
final class MomentCode {
  /** In place of random bits: half of a step, which rounds to the nearest. */
  static final int NEAREST = 1 << 19;

  /** Bits of chance: those of a float's mantissa that a code lacks. */
  static final int CHANCE_BITS = 20;

  private static final int SECOND_BASE = (Float.floatToRawIntBits(1f) >>> CHANCE_BITS) - 255;
  private static final int FIRST_BASE = (Float.floatToRawIntBits(1f) >>> CHANCE_BITS) - 127;
  private static final float FIRST_SMALLEST = Float.intBitsToFloat((FIRST_BASE + 1) << CHANCE_BITS);

  private MomentCode() {}

  /** Encodes a number from 0 to 1. */
  static byte second(float relative, int chance) {
    if (relative == 0) {
      return 0;
    }
    int code = ((Float.floatToRawIntBits(relative) + chance) >>> CHANCE_BITS) - SECOND_BASE;
    return (byte) Math.max(code, 1);
  }

  static float second(byte code) {
    return code == 0 ? 0 : Float.intBitsToFloat(((code & 0xff) + SECOND_BASE) << CHANCE_BITS);
  }

  /** Encodes a number from -1 to 1. */
  static byte first(float relative, int chance) {
    float size = Math.abs(relative);
    int code;
    if (size < FIRST_SMALLEST) {
      code = size * (1 << CHANCE_BITS) > FIRST_SMALLEST * ((1 << CHANCE_BITS) - chance) ? 1 : 0;
    } else {
      code = ((Float.floatToRawIntBits(size) + chance) >>> CHANCE_BITS) - FIRST_BASE;
    }
    return (byte) (relative < 0 ? code | 0x80 : code);
  }

  static float first(byte code) {
    int size = code & 0x7f;
    if (size == 0) {
      return 0;
    }
    float relative = Float.intBitsToFloat((size + FIRST_BASE) << CHANCE_BITS);
    return code < 0 ? -relative : relative;
  }

  /** The bits of bf16, rounded by 16 bits of chance. */
  static short bf16(float value, int chance) {
    return (short) ((Float.floatToRawIntBits(value) + chance) >>> 16);
  }

  static float bf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
