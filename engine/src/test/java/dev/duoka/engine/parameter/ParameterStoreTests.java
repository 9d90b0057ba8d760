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
    return ParameterSpec.plain(name, List.of(shape), new Initializer.Constant(0));
  }

  private static ParameterStore store(Dtype dtype, int shards) {
    return new ParameterStore(
        List.of(spec("a", 3L, 5L), spec("b", 200L), spec("c", 2L, 2L, 2L)),
        new ParameterStore.Storage(dtype, DEVICE, shards, true));
  }

  @Test
  void laysEverythingIntoOneAlignedBuffer() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (ParameterStore store = store(Dtype.BFLOAT16, 3)) {
      assertThat(store.parameters().stream().map(Parameter::offset))
          .containsExactly(0L, 128L, 384L);
      assertThat(store.elements()).isEqualTo(15 + 200 + 8);
      assertThat(store.onlyBucket().length()).isEqualTo(768);
      assertThat(store.onlyBucket().shardLength()).isEqualTo(256);
      assertThat(store.onlyBucket().values().dtype()).isEqualTo(Dtype.BFLOAT16);
      assertThat(store.onlyBucket().gradients().dtype()).isEqualTo(Dtype.FLOAT32);
      assertThat(LedgerSnapshot.of(DEVICE).storages()).isEqualTo(before.storages() + 2);
      Tensors.fill(store.parameter("b").value(), 2);
      float[] flat = HostCopy.floats(store.onlyBucket().values());
      assertThat(flat[127]).isZero();
      assertThat(flat[128]).isEqualTo(2);
      assertThat(flat[327]).isEqualTo(2);
      assertThat(flat[328]).isZero();
    }
    before.assertUnchanged();
  }

  @Test
  void weightsOfABlockAndAGroupLieTogether() {
    ParameterSpec first = inBlock("a", 0, Axis.HIDDEN);
    ParameterSpec dense = inBlock("b", 1, Axis.FEED_FORWARD);
    ParameterSpec expert = inBlock("c", 1, Axis.EXPERTS);
    ParameterSpec after = inBlock("d", 1, Axis.FEED_FORWARD);
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (ParameterStore store =
        new ParameterStore(
            List.of(first, dense, expert, after),
            new ParameterStore.Storage(
                Dtype.FLOAT32,
                DEVICE,
                _ -> 2,
                true,
                spec -> spec.has(Axis.EXPERTS) ? "few" : "all"))) {
      assertThat(store.buckets().stream().map(Bucket::toString))
          .containsExactly("block 0, all", "block 1, all", "block 1, few");
      assertThat(store.buckets().get(1).parameters().stream().map(Parameter::name))
          .containsExactly("b", "d");
      assertThat(store.buckets()).allMatch(bucket -> bucket.length() % 256 == 0);
      assertThat(store.parameters().stream().map(Parameter::name))
          .as("in the order of their declaration")
          .containsExactly("a", "b", "c", "d");
      assertThat(store.parameter("d").offset()).isEqualTo(128);
      assertThat(store.parameter("c").bucket()).isSameAs(store.buckets().get(2));
      assertThatThrownBy(store::onlyBucket).isInstanceOf(IllegalStateException.class);
    }
    before.assertUnchanged();
  }

  private static ParameterSpec inBlock(String name, int block, Axis axis) {
    return new ParameterSpec(
        name, List.of(List.of(Section.of(axis, 8))), new Initializer.Constant(0), block);
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
      Tensors.fill(store.onlyBucket().gradients(), Double.NaN);
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
        new ParameterStore(
            List.of(spec("model.norm", 4L)),
            new ParameterStore.Storage(Dtype.FLOAT32, DEVICE, 1, false))) {
      assertThatThrownBy(() -> store.parameter("model.nrom"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("model.norm");
      assertThatThrownBy(store.onlyBucket()::gradients).isInstanceOf(IllegalStateException.class);
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
                    List.of(spec("x", 4L), spec("x", 4L)),
                    new ParameterStore.Storage(Dtype.FLOAT32, DEVICE, 1, true)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("x");
    before.assertUnchanged();
  }
}
