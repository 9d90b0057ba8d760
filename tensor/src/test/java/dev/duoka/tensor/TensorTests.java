package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.LedgerSnapshot;
import org.junit.jupiter.api.Test;

class TensorTests {
  @Test
  void useAfterCloseNamesTheTensorAndHowToFindIt() {
    Tensor tensor = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, 2, 5);
    tensor.close();
    assertThat(tensor.isClosed()).isTrue();
    assertThatThrownBy(() -> Elementwise.neg(tensor))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("bfloat16[2, 5]@cpu")
        .hasMessageContaining("duoka.trackTensors");
  }

  @Test
  void knowsItsShape() {
    try (Tensor tensor = Tensors.empty(Dtype.FLOAT64, Device.CPU, 2, 0, 7)) {
      assertThat(tensor.shape()).containsExactly(2, 0, 7);
      assertThat(tensor.rank()).isEqualTo(3);
      assertThat(tensor.size(-1)).isEqualTo(7);
      assertThat(tensor.size(1)).isZero();
      assertThat(tensor.elements()).isZero();
      assertThat(tensor.bytes()).isZero();
      tensor.shape()[0] = 99;
      assertThat(tensor.size(0)).isEqualTo(2);
    }
  }

  @Test
  void sharesOutliveTheOriginal() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    Tensor original = Tensors.full(7, Dtype.FLOAT32, Device.CPU, 4);
    long storages = LedgerSnapshot.of(Device.CPU).storages();
    Tensor shared = original.share();
    Tensor view = Views.narrow(original, 0, 1, 2);
    assertThat(LedgerSnapshot.of(Device.CPU).storages()).isEqualTo(storages);
    original.close();
    assertThat(HostCopy.floats(shared)).containsExactly(7, 7, 7, 7);
    shared.close();
    assertThat(LedgerSnapshot.of(Device.CPU).storages()).isEqualTo(storages);
    Tensors.fill(view, 3);
    assertThat(HostCopy.floats(view)).containsExactly(3, 3);
    view.close();
    before.assertUnchanged();
  }

  @Test
  void viewsShareStorage() {
    try (Tensor whole = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 3, 4);
        Tensor row = Views.row(whole, 1);
        Tensor transposed = Views.transpose(whole, 0, 1);
        Tensor column = Views.row(transposed, 2)) {
      Tensors.fill(row, 5);
      Tensors.fill(column, 9);
      assertThat(HostCopy.floats(whole)).containsExactly(0, 0, 9, 0, 5, 5, 9, 5, 0, 0, 9, 0);
      assertThat(Views.addressOf(row)).isEqualTo(Views.addressOf(whole) + 16);
    }
  }

  @Test
  void contiguityIgnoresDimensionsThatDoNotMatter() {
    try (Tensor whole = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1, 3, 4);
        Tensor moved = Views.transpose(whole, 0, 1);
        Tensor turned = Views.transpose(whole, 1, 2);
        Tensor nothing = Views.narrow(turned, 1, 0, 0)) {
      assertThat(whole.isContiguous()).isTrue();
      assertThat(moved.isContiguous()).isTrue();
      assertThat(turned.isContiguous()).isFalse();
      assertThat(nothing.isContiguous()).isTrue();
    }
  }

  @Test
  void metaTensorsTakeNoMemoryButAreBooked() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.META);
    try (Tensor huge = Tensors.zeros(Dtype.FLOAT32, Device.META, 1_000_000, 1_000_000);
        Tensor sum = Elementwise.add(huge, huge)) {
      assertThat(sum.shape()).containsExactly(1_000_000, 1_000_000);
      assertThat(LedgerSnapshot.of(Device.META).storages()).isEqualTo(before.storages() + 2);
      assertThat(MemoryLedger.of(Device.META).liveBytes())
          .isGreaterThanOrEqualTo(8_000_000_000_000L);
    }
    before.assertUnchanged();
  }

  @Test
  void dtypesAgreeWithLibTorch() {
    for (Dtype dtype : Dtype.values()) {
      try (Tensor tensor = Tensors.zeros(dtype, Device.CPU, 2)) {
        assertThat(tensor.dtype()).isEqualTo(dtype);
        assertThat(tensor.bytes()).isEqualTo(2L * dtype.bytes());
      }
    }
  }
}
