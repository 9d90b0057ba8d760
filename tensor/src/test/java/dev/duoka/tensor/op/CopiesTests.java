package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CopiesTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(Dtype.class)
  void castsFromAndToEveryDtype(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor ones = HostCopy.fromFloats(new float[] {0, 1, 1}, Dtype.FLOAT32, DEVICE, 3);
      Tensor cast = Copies.cast(ones, dtype);
      assertThat(cast.dtype()).isEqualTo(dtype);
      for (Dtype other : Dtype.values()) {
        assertThat(HostCopy.doubles(Copies.cast(cast, other))).containsExactly(0, 1, 1);
      }
    }
  }

  @Test
  void roundsToNearestEven() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      // bf16 has 8 bits of precision: 257 and 259 lie between two of its numbers.
      Tensor x = HostCopy.fromFloats(new float[] {257, 259, 1e38f, -0f}, Dtype.BFLOAT16, DEVICE, 4);
      assertThat(HostCopy.floats(x)[0]).isEqualTo(256);
      assertThat(HostCopy.floats(x)[1]).isEqualTo(260);
      assertThat(HostCopy.floats(x)[2]).isFinite();
      Tensor half = HostCopy.fromFloats(new float[] {65504, 65536}, Dtype.FLOAT16, DEVICE, 2);
      assertThat(HostCopy.floats(half)).containsExactly(65504, Float.POSITIVE_INFINITY);
    }
  }

  @Test
  void copiesIntoViewsWithBroadcast() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor whole = Tensors.zeros(Dtype.FLOAT32, DEVICE, 2, 4);
      Tensor column = HostCopy.fromLongs(new long[] {7, 8}, DEVICE, 2, 1);
      Copies.into(Views.narrow(whole, 1, 1, 2), column);
      assertThat(HostCopy.floats(whole)).containsExactly(0, 7, 7, 0, 0, 8, 8, 0);
      Copies.intoAsync(whole, Tensors.full(3, Dtype.FLOAT64, Device.CPU, 1));
      assertThat(HostCopy.floats(whole)).containsOnly(3);
    }
  }

  @Test
  void movesBetweenDevices() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = HostCopy.fromFloats(new float[] {1, 2, 3, 4}, Dtype.BFLOAT16, DEVICE, 2, 2);
      Tensor host = Copies.to(x, Device.CPU);
      assertThat(host.device()).isEqualTo(Device.CPU);
      assertThat(HostCopy.floats(Copies.to(host, DEVICE))).containsExactly(1, 2, 3, 4);
      assertThat(Copies.to(x, Device.META).shape()).containsExactly(2, 2);
      assertThat(Views.addressOf(Copies.to(x, DEVICE))).isEqualTo(Views.addressOf(x));
    }
  }

  @Test
  void copyOfIsIndependent() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = Tensors.full(1, Dtype.FLOAT32, DEVICE, 2);
      Tensor copy = Tensors.copyOf(x);
      Tensors.fill(x, 2);
      assertThat(HostCopy.floats(copy)).containsExactly(1, 1);
    }
  }

  @Test
  void concatenatesAnyNumberOfTensors() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor[] parts = new Tensor[100];
      for (int i = 0; i < parts.length; i++) {
        parts[i] = Tensors.full(i, Dtype.FLOAT32, DEVICE, 2, i % 3);
      }
      Tensor joined = Copies.concatenate(1, parts);
      assertThat(joined.shape()).containsExactly(2, 99);
      assertThat(HostCopy.floats(joined)).startsWith(1, 2, 2, 4, 5, 5, 7).endsWith(97, 98, 98);
      assertThat(Copies.concatenate(-1, parts[2]).shape()).containsExactly(2, 2);
    }
  }
}
