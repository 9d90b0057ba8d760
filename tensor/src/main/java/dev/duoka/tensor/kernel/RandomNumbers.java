package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;

/**
 * Random numbers, each a function of a key and its own number: bits of {@link ChanceBits}, and what
 * becomes of them by single additions, products and roots, which round alike everywhere. So a
 * number is the same to the last bit on a card, on a CPU, and in whatever order it is drawn.
 *
 * <p>A normal one is the inverse of the normal distribution at a uniform one: {@code z = x · f(w)},
 * {@code w = −ln(1 − x²)}, where x is uniform in (−1, 1), and f is a polynomial in w around 0 and
 * one in its root beyond, as Giles has it ("Approximating the erfinv function", GPU Computing Gems
 * Jade, 2011), fitted anew to a relative error of 10⁻⁶. The largest has a chance of one in 2⁴¹, 7.1
 * deviations.
 */
public final class RandomNumbers {
  private static final KernelFamily KERNELS = new KernelFamily("random.cu");

  private static final int THREADS = 256;

  /** Numbers that a core of the host draws at once. */
  private static final int TILE = 1 << 14;

  /** Of {@code (√2 · erf⁻¹(x)) / x}, in w − 2.5, for w below {@link #FAR}; from the constant on. */
  private static final float[] NEAR_CENTRE = {
    2.1233137f,
    0.34880266f,
    -0.005908171f,
    -0.0017730101f,
    3.091502e-04f,
    -6.217993e-06f,
    -4.9905652e-06f,
    4.8610394e-07f,
    4.0354635e-08f
  };

  /** Beyond, in √w − 3.8. */
  private static final float[] IN_TAILS = {
    5.1448255f,
    1.426768f,
    0.0026931867f,
    -0.0017003439f,
    5.5549934e-04f,
    -2.6305587e-04f,
    2.9204937e-04f,
    -1.6089248e-04f,
    2.830315e-05f
  };

  /** Of {@code ln(1 + f) / f}, for 1 + f from √½ to √2. */
  private static final float[] LOGARITHM = {
    1.0f,
    -0.49999988f,
    0.33334187f,
    -0.25002074f,
    0.19956833f,
    -0.16562393f,
    0.14952268f,
    -0.1436684f,
    0.08722349f
  };

  private static final float FAR = 5;
  private static final float LN_2 = 0.6931472f;

  /** The bits of √½, where the mantissa that the logarithm is taken of begins. */
  private static final int ROOT_HALF = 0x3F3504F3;

  /** What becomes of the bits of a number. */
  private enum Kind {
    NORMAL {
      @Override
      float of(long bits) {
        return standard(bits);
      }
    },
    UNIFORM {
      @Override
      float of(long bits) {
        return ((bits >> 24) | 1) * 0x1p-39f;
      }
    };

    abstract float of(long bits);
  }

  private RandomNumbers() {}

  /** Whether numbers can be drawn on a device; those of the host always can. */
  public static boolean serve(Device device) {
    return !device.isCuda() || KernelFamily.serve(Dtype.FLOAT32, device);
  }

  /**
   * Normal numbers of mean 0. On CUDA launches asynchronously; on the host uses all cores.
   *
   * @param target dense fp32 {@code [n]}, on a device that is {@link #serve served}
   * @param key what they are of ({@link ChanceBits#key})
   * @param first the number of the first
   */
  public static void normal(Tensor target, long key, long first, double deviation) {
    draw(Kind.NORMAL, target, key, first, (float) deviation);
  }

  /** Numbers between −bound and bound, each as likely; as {@link #normal}. */
  public static void uniform(Tensor target, long key, long first, double bound) {
    draw(Kind.UNIFORM, target, key, first, (float) bound);
  }

  private static void draw(Kind kind, Tensor target, long key, long first, float scale) {
    if (target.dtype() != Dtype.FLOAT32 || !target.isContiguous()) {
      throw new IllegalArgumentException("cannot draw fp32 numbers into " + target);
    }
    if (target.elements() == 0 || target.device().isMeta()) {
      return;
    }
    if (target.device().isCuda()) {
      KERNELS
          .call(target, kind == Kind.NORMAL ? "normal" : "uniform")
          .grid(Math.toIntExact(Math.ceilDiv(target.elements(), THREADS)))
          .block(THREADS)
          .pointer(Views.addressOf(target))
          .longInteger(key)
          .longInteger(first)
          .longInteger(target.elements())
          .floating(scale)
          .launch();
      return;
    }
    HostCopy.write(
        target,
        (offset, bytes) ->
            onHost(kind, bytes.asFloatBuffer(), key, first + offset / Float.BYTES, scale));
  }

  private static void onHost(Kind kind, FloatBuffer target, long key, long first, float scale) {
    int length = target.remaining();
    IntStream.range(0, Math.ceilDiv(length, TILE))
        .parallel()
        .forEach(
            tile -> {
              int start = tile * TILE;
              float[] values = new float[Math.min(TILE, length - start)];
              for (int i = 0; i < values.length; i++) {
                values[i] = kind.of(ChanceBits.of(key, first + start + i)) * scale;
              }
              target.put(start, values);
            });
  }

  /** A normal number of deviation 1. */
  static float standard(long bits) {
    float tail = (((bits >>> 22) & 0x1FFFFFFFFFFL) | 1) * 0x1p-41f; // twice its chance
    float x = 1 - tail;
    float w = -logarithm(tail * (2 - tail));
    float factor =
        w < FAR
            ? polynomial(w - 2.5f, NEAR_CENTRE)
            : polynomial((float) Math.sqrt(w) - 3.8f, IN_TAILS);
    float z = x * factor;
    return bits < 0 ? -z : z;
  }

  /** The natural logarithm of a normal number, to 10⁻⁷. */
  static float logarithm(float q) {
    int bits = Float.floatToRawIntBits(q);
    int exponent = (bits - ROOT_HALF) >> 23;
    float f = Float.intBitsToFloat(bits - (exponent << 23)) - 1;
    return exponent * LN_2 + f * polynomial(f, LOGARITHM);
  }

  private static float polynomial(float x, float... coefficients) {
    float y = coefficients[coefficients.length - 1];
    for (int i = coefficients.length - 2; i >= 0; i--) {
      y = y * x + coefficients[i];
    }
    return y;
  }
}
