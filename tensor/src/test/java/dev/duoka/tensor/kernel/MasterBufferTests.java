package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.TestDevice;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What bf16 leaves of a weight in fp32 makes it whole again. */
class MasterBufferTests {
  /** NaN, infinities, the largest, zeros, the smallest and what bf16 keeps nothing of. */
  private static final int[] ODD = {
    0x7fc00000,
    0x7f800001,
    0xffffffff,
    0x7f800000,
    0xff800000,
    0x7f7fffff,
    0xff7fffff,
    0,
    0x80000000,
    1,
    0x80000001,
    0x7fff,
    0x80008001,
    0x00018000
  };

  private static final int LENGTH = 140_000;

  /** Each pattern of the upper bits, with lower ones around the middle and the ends. */
  @Test
  void everyBfloat16AndItsRemainderAreTheWeight() {
    int[] lower = {0, 1, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
    for (int upper = 0; upper < 1 << 16; upper++) {
      for (int low : lower) {
        float whole = Float.intBitsToFloat(upper << 16 | low);
        short nearest = MasterCode.nearest(whole);
        float kept = MasterCode.whole(nearest, MasterCode.remainder(whole, nearest));
        boolean middleAboveEven = low == 0x8000 && upper % 2 == 0;
        if (Float.isNaN(whole)) {
          assertThat(kept).isNaN();
        } else if (middleAboveEven) {
          assertThat(Float.floatToRawIntBits(kept)).isEqualTo(upper << 16 | 0x7fff);
        } else {
          assertThat(Float.floatToRawIntBits(kept)).isEqualTo(upper << 16 | low);
        }
        // What is kept rounds to the same weight again: a checkpoint of it changes nothing.
        assertThat(MasterCode.nearest(kept)).isEqualTo(nearest);
      }
    }
  }

  @Test
  void nearestIsWhatLibTorchRoundsTo() {
    float[] wide = numbers(LENGTH);
    try (Scope _ = Scope.open()) {
      Tensor cast =
          Copies.cast(HostCopy.fromFloats(wide, Dtype.FLOAT32, Device.CPU, LENGTH), Dtype.BFLOAT16);
      float[] rounded = HostCopy.floats(cast);
      for (int i = 0; i < LENGTH; i++) {
        short nearest = MasterCode.nearest(wide[i]);
        assertSame(MasterCode.whole(nearest, (short) 0), rounded[i]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 140000", "1, 139999", "17, 130", "139999, 1"})
  void stretchesAreReadAsTheyWereWritten(int start, int length) {
    check(Device.CPU, Device.CPU, start, length);
  }

  /** Against the host's arithmetic, also where remainders are there and weights on the card. */
  @ParameterizedTest
  @CsvSource({"0, 140000, true", "17, 130, true", "0, 140000, false", "17, 130, false"})
  @Tag("cuda")
  void theCardsKernelsDoTheSame(int start, int length, boolean together) {
    Device card = TestDevice.cuda();
    check(card, together ? card : Device.CPU, start, length);
  }

  private static void check(Device device, Device home, int start, int length) {
    float[] wide = numbers(length);
    try (Scope _ = Scope.open()) {
      Tensor values = Tensors.zeros(Dtype.BFLOAT16, device, LENGTH);
      MasterBuffer master = new MasterBuffer(values, Tensors.zeros(Dtype.INT16, home, LENGTH));
      master.write(start, HostCopy.fromFloats(wide, Dtype.FLOAT32, home, length));
      float[] whole = HostCopy.floats(master.read());
      float[] near = HostCopy.floats(values);
      for (int i = 0; i < LENGTH; i++) {
        boolean inside = i >= start && i < start + length;
        float expected = inside ? wide[i - start] : 0;
        short nearest = MasterCode.nearest(expected);
        short remainder = MasterCode.remainder(expected, nearest);
        assertSame(whole[i], MasterCode.whole(nearest, remainder));
        assertSame(near[i], MasterCode.whole(nearest, (short) 0));
      }
      master.adoptValues();
      assertThat(HostCopy.floats(master.read())).isEqualTo(near);
      assertThatThrownBy(master::whole).isInstanceOf(IllegalStateException.class);
    }
  }

  /** To the bit, but that NaN are one. */
  private static void assertSame(float actual, float expected) {
    assertThat(Float.floatToIntBits(actual)).isEqualTo(Float.floatToIntBits(expected));
  }

  /** Some in the middle between two of bf16, and some that are hardly numbers. */
  private static float[] numbers(int length) {
    SplittableRandom random = new SplittableRandom(11);
    float[] numbers = new float[length];
    for (int i = 0; i < length; i++) {
      float number = (float) random.nextGaussian();
      int bits = Float.floatToRawIntBits(number);
      if (i % 11 == 0) {
        numbers[i] = Float.intBitsToFloat(ODD[i / 11 % ODD.length]);
        continue;
      }
      numbers[i] = i % 7 == 0 ? Float.intBitsToFloat(bits & ~0xffff | 0x8000) : number;
    }
    return numbers;
  }
}
