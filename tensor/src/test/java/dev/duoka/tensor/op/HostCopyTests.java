package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HostCopyTests {
  private static final Device DEVICE = TestDevice.current();
  private static final int SEVENTY_MIB = 70 << 20;

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"UINT8", "FLOAT32", "BFLOAT16"})
  void bytesRoundTripOverSeveralChunks(Dtype dtype) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor tensor = Tensors.zeros(dtype, DEVICE, SEVENTY_MIB / dtype.bytes() / 2 + 1, 2);
      HostCopy.write(
          tensor,
          (offset, chunk) -> {
            for (int i = 0; i < chunk.capacity(); i++) {
              chunk.put(i, pattern(offset + i));
            }
          });
      List<Long> offsets = new ArrayList<>();
      long[] seen = new long[2];
      HostCopy.read(
          tensor,
          (offset, chunk) -> {
            offsets.add(offset);
            for (int i = 0; i < chunk.capacity(); i++) {
              seen[chunk.get(i) == pattern(offset + i) ? 0 : 1]++;
            }
          });
      assertThat(offsets).containsExactly(0L, 64L << 20);
      assertThat(seen).containsExactly(tensor.bytes(), 0);
    }
    before.assertUnchanged();
  }

  private static byte pattern(long offset) {
    return (byte) (offset * 31 + (offset >>> 20));
  }

  @Test
  void readsWhatIsNotDense() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = HostCopy.fromLongs(new long[] {1, 2, 3, 4, 5, 6}, DEVICE, 2, 3);
      Tensor turned = Views.transpose(x, 0, 1);
      List<Long> values = new ArrayList<>();
      HostCopy.read(
          turned,
          (_, chunk) -> {
            for (int i = 0; i < 6; i++) {
              values.add(chunk.getLong(8 * i));
            }
          });
      assertThat(values).containsExactly(1L, 4L, 2L, 5L, 3L, 6L);
      assertThat(HostCopy.longs(turned)).containsExactly(1, 4, 2, 5, 3, 6);
    }
  }

  /** A write into a copy would be lost without a word. */
  @Test
  void refusesToWriteWhatIsNotDense() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor turned = Views.transpose(Tensors.zeros(Dtype.FLOAT32, DEVICE, 2, 3), 0, 1);
      assertThatThrownBy(() -> HostCopy.write(turned, (_, _) -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("not dense");
    }
  }

  @Test
  void valuesOfEveryKind() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      double[] numbers = {1.5, -2, 0.1};
      assertThat(HostCopy.doubles(HostCopy.fromDoubles(numbers, Dtype.FLOAT64, DEVICE, 3)))
          .isEqualTo(numbers);
      assertThat(HostCopy.floats(HostCopy.fromDoubles(numbers, Dtype.FLOAT32, DEVICE, 3, 1)))
          .containsExactly(1.5f, -2, 0.1f);
      Tensor longs = HostCopy.fromLongs(new long[] {Long.MAX_VALUE, -1}, DEVICE, 2);
      assertThat(HostCopy.longs(longs)).containsExactly(Long.MAX_VALUE, -1);
      assertThat(HostCopy.ints(HostCopy.fromLongs(new long[] {7}, DEVICE, 1))).containsExactly(7);
      assertThat(HostCopy.item(Tensors.full(2.25, Dtype.BFLOAT16, DEVICE))).isEqualTo(2.25);
    }
  }

  @Test
  void emptyTensors() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor none = HostCopy.fromFloats(new float[0], Dtype.BFLOAT16, DEVICE, 0, 4);
      assertThat(HostCopy.floats(none)).isEmpty();
      HostCopy.read(
          none,
          (_, _) -> {
            throw new AssertionError("nothing to read");
          });
      HostCopy.write(
          none,
          (_, _) -> {
            throw new AssertionError("nothing to write");
          });
    }
  }

  @Test
  void refusesTheWrongNumberOfValuesAndLeaksNothing() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    assertThatThrownBy(() -> HostCopy.fromFloats(new float[5], Dtype.FLOAT32, DEVICE, 2, 3))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("5 values")
        .hasMessageContaining("[2, 3]");
    before.assertUnchanged();
  }

  @Test
  void metaTensorsCannotBeReadOrWritten() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor meta = Tensors.zeros(Dtype.FLOAT32, Device.META, 3);
      assertThatThrownBy(() -> HostCopy.floats(meta))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("float32[3]@meta");
      assertThatThrownBy(() -> HostCopy.read(meta, (_, _) -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("float32[3]@meta");
      assertThatThrownBy(() -> HostCopy.write(meta, (_, _) -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("float32[3]@meta");
    }
  }

  @Test
  void severalThreadsAtOnce() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    int[] wrong = new int[4];
    for (int number = 0; number < 4; number++) {
      int mine = number;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 0; round < 200; round++) {
                      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
                        float[] values = {mine, round, mine * round};
                        Tensor x = HostCopy.fromFloats(values, Dtype.FLOAT32, DEVICE, 3);
                        float[] doubled = HostCopy.floats(Elementwise.add(x, x));
                        for (int i = 0; i < 3; i++) {
                          wrong[mine] += doubled[i] == 2 * values[i] ? 0 : 1;
                        }
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(wrong).containsOnly(0);
  }
}
