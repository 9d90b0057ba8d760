package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Operations on the bits of int64 numbers, the same on every device; sums and products wrap. */
public final class Bits {
  private static final Operator XOR = Operator.of("aten::bitwise_xor", "Tensor");
  private static final Operator SHIFT_RIGHT = Operator.of("aten::bitwise_right_shift", "Tensor");

  /** The bits of {@link #mixed} numbers. */
  public static final int MIXED = 63;

  /** What numbers keep of a key: as much as fp64 holds, in which constants reach the device. */
  private static final int KEY_SHIFT = 11;

  /** Odd, of 52 bits: the leading ones of the golden ratio, and of SplitMix64's first factor. */
  private static final long SPREAD = 0x9E3779B97F4A7L;

  private static final long MIX = 0xBF58476D1CE4FL;

  private Bits() {}

  /** {@code a ^ b}. */
  public static Tensor xor(Tensor a, Tensor b) {
    return Call.of(XOR).tensor(a).tensor(b).result();
  }

  /** {@code a ^ (key >>> 11)}. */
  public static Tensor xor(Tensor a, long key) {
    try (Tensor constant = constant(a, key >>> KEY_SHIFT)) {
      return xor(a, constant);
    }
  }

  /** {@code a >> bits}, the sign kept. */
  public static Tensor shiftRight(Tensor a, int bits) {
    try (Tensor constant = constant(a, bits)) {
      return Call.of(SHIFT_RIGHT).tensor(a).tensor(constant).result();
    }
  }

  /** Neighbouring numbers far apart: {@code a · c}. */
  public static Tensor spread(Tensor a) {
    return times(a, SPREAD);
  }

  /**
   * Every bit of the result, of which there are {@value #MIXED} and no sign, depends on all bits of
   * {@code a}; two rounds of shift and product as SplitMix64 has them (Steele, Lea and Flood, "Fast
   * splittable pseudorandom number generators", 2014), with constants of 52 bits and shifts that
   * keep the sign.
   */
  public static Tensor mixed(Tensor a) {
    try (Tensor once = folded(a, 30);
        Tensor product = times(once, MIX);
        Tensor twice = folded(product, 27);
        Tensor again = times(twice, SPREAD)) {
      return folded(again, 31);
    }
  }

  private static Tensor folded(Tensor a, int bits) {
    try (Tensor shifted = shiftRight(a, bits)) {
      return xor(a, shifted);
    }
  }

  private static Tensor times(Tensor a, long factor) {
    try (Tensor constant = constant(a, factor)) {
      return Elementwise.mul(a, constant);
    }
  }

  private static Tensor constant(Tensor like, long value) {
    return Tensors.full((double) value, Dtype.INT64, like.device());
  }
}
