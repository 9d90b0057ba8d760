package dev.duoka.tensor.kernel;

import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * Random numbers, each a function of a key and its own number: bits of {@link ChanceBits}, and what
 * becomes of them by single additions, products and roots, which round alike everywhere. So a
 * number is the same to the last bit on a card, on a CPU, and in whatever order it is drawn.
 *
 * <p>A normal one is the inverse of the normal distribution at a uniform one: {@code z = x · f(w)},
 * {@code w = −ln(1 − x²)}, where x is uniform in (−1, 1), and f is a polynomial in w around 0 and
 * one in its root beyond, as Giles has it ("Approximating the erfinv function", GPU Computing Gems
 * Jade, 2011), fitted anew to a relative error of 10⁻⁶. The largest has a chance of one in 2⁴¹, 7.2
 * deviations.
 */
public final class RandomNumbers {
  private static final KernelFamily KERNELS = new KernelFamily("random.cu");

  private static final int THREADS = 256;

  /** Numbers that a core of the host draws at once. */
  private static final int TILE = 1 << 12;

  private static final float FAR = 5;
  private static final float LN_2 = 0.6931472f;

  /** The bits of √½, where the mantissa that the logarithm is taken of begins. */
  private static final int ROOT_HALF = 0x3F3504F3;

  private static final int MANTISSA_BITS = 23;
  private static final int EXPONENT = -1 << MANTISSA_BITS;

  /** What becomes of the bits of numbers. */
  private enum Kind {
    NORMAL,
    UNIFORM
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
    onHost(kind, HostCopy.memoryOf(target), key, first, scale);
  }

  private static void onHost(Kind kind, HostMemory target, long key, long first, float scale) {
    long length = target.byteSize() / Float.BYTES;
    IntStream.range(0, Math.toIntExact(Math.ceilDiv(length, TILE)))
        .parallel()
        .forEach(
            tile -> {
              long start = (long) tile * TILE;
              int count = (int) Math.min(TILE, length - start);
              float[] values = new float[count];
              long[] bits = new long[count];
              ChanceBits.of(key, first + start, bits, 0, count);
              switch (kind) {
                case NORMAL -> standard(bits, values);
                case UNIFORM -> uniform(bits, values);
              }
              for (int i = 0; i < count; i++) {
                values[i] *= scale;
              }
              target
                  .asSlice(start * Float.BYTES, (long) count * Float.BYTES)
                  .asByteBuffer()
                  .order(ByteOrder.nativeOrder())
                  .asFloatBuffer()
                  .put(values);
            });
  }

  private static void uniform(long[] bits, float... values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = ((bits[i] >> 24) | 1) * 0x1p-39f;
    }
  }

  /**
   * Normal numbers of deviation 1. In short loops without branches, which become ones of vectors;
   * what few are far out follow apart.
   */
  static void standard(long[] bits, float... values) {
    float[] x = new float[values.length];
    float[] w = new float[values.length];
    split(bits, x, w);
    negativeLogarithms(w);
    for (int i = 0; i < values.length; i++) {
      values[i] = x[i] * nearCentre(w[i] - 2.5f);
    }
    tails(x, w, values);
  }

  /** Uniform numbers x in (−1, 1), and 1 − x². */
  private static void split(long[] bits, float[] x, float... rest) {
    for (int i = 0; i < x.length; i++) {
      float tail = (((bits[i] >>> 22) & 0x1FFFFFFFFFFL) | 1) * 0x1p-41f; // twice its chance
      x[i] = (1 - tail) * (1 - 2 * (int) (bits[i] >>> 63));
      rest[i] = tail * (2 - tail);
    }
  }

  private static void tails(float[] x, float[] w, float... values) {
    for (int i = 0; i < values.length; i++) {
      if (w[i] >= FAR) {
        values[i] = x[i] * inTails((float) Math.sqrt(w[i]) - 3.8f);
      }
    }
  }

  /** In place of each number {@code −ln} of it, to 10⁻⁷. */
  private static void negativeLogarithms(float... numbers) {
    int[] bits = new int[numbers.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(numbers[i]);
    }
    float[] f = mantissas(bits, numbers);
    for (int i = 0; i < f.length; i++) {
      numbers[i] = -(numbers[i] + f[i] * ofMantissa(f[i]));
    }
  }

  /** What a logarithm is taken of, less 1; {@code logarithms} receives that of the exponents. */
  private static float[] mantissas(int[] bits, float... logarithms) {
    for (int i = 0; i < bits.length; i++) {
      int exponent = (bits[i] - ROOT_HALF) & EXPONENT;
      logarithms[i] = (exponent >> MANTISSA_BITS) * LN_2;
      bits[i] -= exponent;
    }
    float[] mantissas = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      mantissas[i] = Float.intBitsToFloat(bits[i]) - 1;
    }
    return mantissas;
  }

  /** {@code ln(1 + f) / f}, for 1 + f from √½ to √2. */
  private static float ofMantissa(float f) {
    float y = 0.08722349f * f - 0.1436684f;
    y = y * f + 0.14952268f;
    y = y * f - 0.16562393f;
    y = y * f + 0.19956833f;
    y = y * f - 0.25002074f;
    y = y * f + 0.33334187f;
    y = y * f - 0.49999988f;
    y = y * f + 1.0f;
    return y;
  }

  /** {@code (√2 · erf⁻¹(x)) / x} at {@code w = x + 2.5}. */
  private static float nearCentre(float x) {
    float y = 4.0354635e-08f * x + 4.8610394e-07f;
    y = y * x - 4.9905652e-06f;
    y = y * x - 6.217993e-06f;
    y = y * x + 3.091502e-04f;
    y = y * x - 0.0017730101f;
    y = y * x - 0.005908171f;
    y = y * x + 0.34880266f;
    y = y * x + 2.1233137f;
    return y;
  }

  /** The same at {@code √w = x + 3.8}. */
  private static float inTails(float x) {
    float y = 2.830315e-05f * x - 1.6089248e-04f;
    y = y * x + 2.9204937e-04f;
    y = y * x - 2.6305587e-04f;
    y = y * x + 5.5549934e-04f;
    y = y * x - 0.0017003439f;
    y = y * x + 0.0026931867f;
    y = y * x + 1.426768f;
    y = y * x + 5.1448255f;
    return y;
  }
}
