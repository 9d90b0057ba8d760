package dev.duoka.engine.parameter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ParameterStoreTests {
  private static final Device DEVICE = TestDevice.current();

  private static ParameterSpec spec(String name, Long... shape) {
    return new ParameterSpec(name, List.of(shape), new Initializer.Constant(0));
  }

  private static ParameterStore store(Dtype dtype, int shards) {
    return new ParameterStore(
        List.of(spec("a", 3L, 5L), spec("b", 200L), spec("c", 2L, 2L, 2L)),
        dtype,
        DEVICE,
        shards,
        true);
  }

  @Test
  void laysEverythingIntoOneAlignedBuffer() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (ParameterStore store = store(Dtype.BFLOAT16, 3)) {
      assertThat(store.parameters().stream().map(Parameter::offset))
          .containsExactly(0L, 128L, 384L);
      assertThat(store.elements()).isEqualTo(15 + 200 + 8);
      assertThat(store.length()).isEqualTo(768);
      assertThat(store.shardLength()).isEqualTo(256);
      assertThat(store.values().dtype()).isEqualTo(Dtype.BFLOAT16);
      assertThat(store.gradients().dtype()).isEqualTo(Dtype.FLOAT32);
      assertThat(LedgerSnapshot.of(DEVICE).storages()).isEqualTo(before.storages() + 2);
      Tensors.fill(store.parameter("b").value(), 2);
      float[] flat = HostCopy.floats(store.values());
      assertThat(flat[127]).isZero();
      assertThat(flat[128]).isEqualTo(2);
      assertThat(flat[327]).isEqualTo(2);
      assertThat(flat[328]).isZero();
    }
    before.assertUnchanged();
  }

  @Test
  void booksWeightsAndGradients() {
    long weights = live(MemoryOwner.WEIGHTS);
    long gradients = live(MemoryOwner.GRADIENTS);
    try (ParameterStore _ = store(Dtype.BFLOAT16, 1)) {
      assertThat(live(MemoryOwner.WEIGHTS) - weights).isEqualTo(512 * 2);
      assertThat(live(MemoryOwner.GRADIENTS) - gradients).isEqualTo(512 * 4);
    }
  }

  private static long live(MemoryOwner owner) {
    return MemoryLedger.of(DEVICE).liveByOwner().getOrDefault(owner, 0L);
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void addsGradientsOfProductsInTheMainDtype(Dtype dtype) {
    try (ParameterStore store = store(dtype, 1);
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Parameter a = store.parameter("a");
      // What is there before a new sum starts does not count.
      Tensors.fill(store.gradients(), Double.NaN);
      store.resetGradients();
      Inputs inputs = new Inputs(171, dtype, DEVICE);
      double[] expected = new double[15];
      for (int round = 0; round < 3; round++) {
        Tensor left = inputs.coarse(7, 3);
        Tensor right = inputs.coarse(7, 5);
        a.addGradientProduct(left, right);
        double[] l = HostCopy.doubles(left);
        double[] r = HostCopy.doubles(right);
        for (int i = 0; i < 15; i++) {
          for (int row = 0; row < 7; row++) {
            expected[i] += l[row * 3 + i / 5] * r[row * 5 + i % 5];
          }
        }
      }
      Tensor more = inputs.coarse(3, 5);
      a.addGradient(more);
      double[] extra = HostCopy.doubles(more);
      for (int i = 0; i < 15; i++) {
        expected[i] += extra[i];
      }
      assertThat(a.gradientIsFresh()).isFalse();
      Numbers.assertClose(
          "seed 171", HostCopy.doubles(a.gradient()), expected, Numbers.tolerance(dtype));
      store.zeroUntouchedGradients();
      assertThat(HostCopy.floats(store.parameter("b").gradient())).containsOnly(0);
      Numbers.assertClose(
          "seed 171", HostCopy.doubles(a.gradient()), expected, Numbers.tolerance(dtype));
    }
  }

  @Test
  void refusesWhatItDoesNotHave() {
    try (ParameterStore store =
        new ParameterStore(List.of(spec("model.norm", 4L)), Dtype.FLOAT32, DEVICE, 1, false)) {
      assertThatThrownBy(() -> store.parameter("model.nrom"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("model.norm");
      assertThatThrownBy(store::gradients).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> store.parameter("model.norm").gradient())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("model.norm");
    }
  }

  @Test
  void refusesTwoParametersOfOneNameAndLeaksNothing() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    assertThatThrownBy(
            () ->
                new ParameterStore(
                    List.of(spec("x", 4L), spec("x", 4L)), Dtype.FLOAT32, DEVICE, 1, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("x");
    before.assertUnchanged();
  }
}
