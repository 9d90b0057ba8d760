package dev.duoka.tensor.nf4;

import java.util.Arrays;

/**
 * The format NF4 (Dettmers et al., arXiv:2305.14314 §3), written out in plain Java: the truth that
 * the operators of this package and their kernel are held to. Layout, values and rounding are those
 * of bitsandbytes ({@code quantize_4bit}, {@code create_dynamic_map}), so that a base has the codes
 * here that PEFT's users know.
 *
 * <p>The elements of a tensor in row-major order are cut into blocks of {@value #BLOCK}, of which
 * the last may be shorter. A block has a scale, its largest magnitude, and each element the code of
 * the nearest of sixteen values times that. Two codes share a byte, the first in its upper half.
 *
 * <p>Doubly quantized, scales are in 8 bits themselves: their mean over the tensor is taken off,
 * and of what is left {@value #SCALE_BLOCK} at a time are relative to their largest magnitude, by
 * the dynamic map.
 *
 * <p>Three things are said here that bitsandbytes leaves to chance: a block of zeros has the code
 * of 0, so that it stays zero whatever becomes of its scale, the mean is a sum in fp64, in order,
 * and the dynamic map is rounded once.
 */
public final class Nf4 {
  /** Elements that share a scale. */
  public static final int BLOCK = 64;

  /** Scales that share a maximum. */
  public static final int SCALE_BLOCK = 256;

  /** The code of 0. */
  static final int ZERO = 7;

  private static final int EXPONENTS = 7;

  /** Quantiles of a normal distribution, scaled to end at −1 and 1, with 0 among them. */
  private static final float[] VALUES = {
    -1.0f,
    -0.6961928f,
    -0.52507305f,
    -0.3949175f,
    -0.28444138f,
    -0.18477343f,
    -0.091050036f,
    0.0f,
    0.0795803f,
    0.1609302f,
    0.2461123f,
    0.33791524f,
    0.44070983f,
    0.562617f,
    0.72295684f,
    1.0f
  };

  /**
   * What lies between neighbouring values, as bitsandbytes' kernel has it ({@code kernels.cu},
   * {@code dQuantizeNF4}): the exact middles lie between two fp32 numbers, and four of these are
   * not what fp32 arithmetic would make of them.
   */
  private static final float[] MIDDLES = {
    -0.84809643f,
    -0.6106329f,
    -0.45999527f,
    -0.33967942f,
    -0.2346074f,
    -0.13791174f,
    -0.045525018f,
    0.03979015f,
    0.120255254f,
    0.20352125f,
    0.29201376f,
    0.38931254f,
    0.5016634f,
    0.6427869f,
    0.8614784f
  };

  private static final float[] DYNAMIC = dynamicMap();
  private static final float[] DYNAMIC_MIDDLES = middles(DYNAMIC);

  private Nf4() {}

  /** A tensor in 4 bits. */
  public static final class Quantized {
    private final byte[] codes;
    private final float[] scales;
    private final Scales quantized;

    private Quantized(byte[] codes, float[] scales) {
      this.codes = codes;
      this.scales = scales;
      this.quantized = Scales.of(scales);
    }

    /** Two elements in a byte. */
    public byte[] codes() {
      return codes;
    }

    /** The scales of the blocks, exact. */
    public float[] scales() {
      return scales;
    }

    /** The scales in 8 bits. */
    public Scales quantized() {
      return quantized;
    }
  }

  /** The scales of a tensor's blocks, in 8 bits. */
  public static final class Scales {
    private final byte[] codes;
    private final float[] maxima;
    private final float mean;

    private Scales(byte[] codes, float[] maxima, float mean) {
      this.codes = codes;
      this.maxima = maxima;
      this.mean = mean;
    }

    private static Scales of(float[] scales) {
      float mean = Nf4.mean(scales);
      float[] maxima = new float[Math.ceilDiv(scales.length, SCALE_BLOCK)];
      byte[] codes = new byte[scales.length];
      for (int i = 0; i < scales.length; i++) {
        int group = i / SCALE_BLOCK;
        maxima[group] = Math.max(maxima[group], Math.abs(scales[i] - mean));
      }
      for (int i = 0; i < scales.length; i++) {
        float largest = maxima[i / SCALE_BLOCK];
        float inverse = largest == 0 ? 0 : 1 / largest;
        codes[i] = (byte) above(DYNAMIC_MIDDLES, (scales[i] - mean) * inverse);
      }
      return new Scales(codes, maxima, mean);
    }

    /** Of the dynamic map, one for each block. */
    public byte[] codes() {
      return codes;
    }

    /** Of what is left of {@value #SCALE_BLOCK} scales without the mean. */
    public float[] maxima() {
      return maxima;
    }

    /** Of all scales. */
    public float mean() {
      return mean;
    }

    /** The scale of a block, as it is multiplied with. */
    public float scale(int block) {
      return DYNAMIC[codes[block] & 0xff] * maxima[block / SCALE_BLOCK] + mean;
    }
  }

  /** Quantizes all elements of a tensor, in row-major order. */
  public static Quantized quantize(float[] elements) {
    int blocks = Math.ceilDiv(elements.length, BLOCK);
    float[] scales = new float[blocks];
    byte[] codes = new byte[Math.ceilDiv(elements.length, 2)];
    Arrays.fill(codes, (byte) ((ZERO << 4) | ZERO));
    for (int block = 0; block < blocks; block++) {
      int end = Math.min(elements.length, (block + 1) * BLOCK);
      float largest = 0;
      for (int i = block * BLOCK; i < end; i++) {
        largest = Math.max(largest, Math.abs(elements[i]));
      }
      scales[block] = largest;
      float inverse = largest == 0 ? 0 : 1 / largest;
      for (int i = block * BLOCK; i < end; i++) {
        int code = above(MIDDLES, elements[i] * inverse);
        byte pair = codes[i / 2];
        codes[i / 2] = (byte) (i % 2 == 0 ? (code << 4) | (pair & 15) : (pair & 0xf0) | code);
      }
    }
    return new Quantized(codes, scales);
  }

  /** The mean of a tensor's scales: summed in fp64 and in order, so the same everywhere. */
  static float mean(float[] scales) {
    double sum = 0;
    for (float scale : scales) {
      sum += scale;
    }
    return (float) (sum / scales.length);
  }

  /**
   * The elements that a tensor in 4 bits stands for.
   *
   * @param doubled whether by its quantized scales, or else by the exact ones
   */
  public static float[] dequantize(Quantized tensor, int elements, boolean doubled) {
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      int code = (i % 2 == 0 ? tensor.codes()[i / 2] >> 4 : tensor.codes()[i / 2]) & 15;
      float scale = doubled ? tensor.quantized().scale(i / BLOCK) : tensor.scales()[i / BLOCK];
      values[i] = VALUES[code] * scale;
    }
    return values;
  }

  /** The sixteen values, in the order of their codes. */
  static float[] values() {
    return VALUES.clone();
  }

  /** What lies in the middle between neighbouring values: a number above it has the upper code. */
  static float[] valueMiddles() {
    return MIDDLES.clone();
  }

  /** The 256 values of the dynamic map, in the order of their codes. */
  static float[] dynamicValues() {
    return DYNAMIC.clone();
  }

  /** As {@link #valueMiddles}, of the dynamic map. */
  static float[] dynamicMiddles() {
    return DYNAMIC_MIDDLES.clone();
  }

  private static float[] middles(float[] values) {
    float[] middles = new float[values.length - 1];
    for (int i = 0; i < middles.length; i++) {
      middles[i] = (values[i] + values[i + 1]) / 2;
    }
    return middles;
  }

  /** How many of ascending numbers are smaller than one. */
  private static int above(float[] ascending, float number) {
    int low = 0;
    int high = ascending.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (number > ascending[middle]) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * The signed dynamic map (Dettmers, arXiv:1511.04561): for each of seven powers of ten the
   * middles of evenly divided stretches from 0.1 to 1, of which there are twice as many for each
   * larger power, with both signs; 0 and 1. Each is rounded to fp32 once.
   */
  private static float[] dynamicMap() {
    float[] map = new float[256];
    int next = 0;
    for (int exponent = 0; exponent < EXPONENTS; exponent++) {
      int stretches = 1 << exponent;
      double power = Math.pow(10, exponent - (EXPONENTS - 1));
      for (int i = 0; i < stretches; i++) {
        float value = (float) (power * (0.1 + 0.9 * (i + 0.5) / stretches));
        map[next++] = value;
        map[next++] = -value;
      }
    }
    map[next++] = 0;
    map[next] = 1;
    Arrays.sort(map);
    return map;
  }
}
