package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Moments, weights and gradients in fewer bits. */
@Timeout(120)
class StateFormTests {
  private static final Device DEVICE = Device.CPU;
  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);
  private static final int LENGTH = 6 * 128;
  private static final int STEPS = 20;

  private static ParameterStore store(Dtype dtype, int shards, GradientForm gradients) {
    ParameterStore store =
        new ParameterStore(
            List.of(
                ParameterSpec.plain("a", List.of(512L), new Initializer.Constant(0)),
                ParameterSpec.plain("b", List.of(2L, 128L), new Initializer.Constant(0))),
            new ParameterStore.Storage(
                dtype,
                DEVICE,
                _ -> shards,
                true,
                _ -> BucketKey.ONE_GROUP,
                _ -> Residency.ALL,
                _ -> gradients,
                _ -> UpdateFactors.ONE));
    try (Tensor start = new Inputs(181, Dtype.FLOAT32, DEVICE).coarse(LENGTH)) {
      Copies.into(store.onlyBucket().values(), start);
    }
    return store;
  }

  private static ShardedOptimizer optimizer(
      ParameterStore store, Communicator ranks, AdamWSettings settings, int zero, StateForm form) {
    return new ShardedOptimizer(
        store,
        GradientGroups.of(ranks, store.parameters().stream().map(Parameter::name).toList()),
        settings,
        zero,
        new StateSettings(form, Offload.NONE, OffloadUpdate.DEVICE, 7));
  }

  private static void addGradient(ParameterStore store, int step, int rank, int ranks) {
    store.resetGradients();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (int part = rank; part < 6; part += ranks) { // exact numbers: any order gives one sum
        Tensor share = new Inputs(182 + 10L * step + part, Dtype.FLOAT32, DEVICE).coarse(LENGTH);
        store.parameter("a").addGradient(Views.narrow(share, 0, 0, 512));
        store.parameter("b").addGradient(Views.slice(share, 512, 2, 128));
      }
    }
  }

  private static double[] train(Communicator ranks, int zero, Dtype dtype, StateForm form) {
    try (ParameterStore store = store(dtype, ranks.size(), GradientForm.FP32);
        ShardedOptimizer optimizer = optimizer(store, ranks, SETTINGS, zero, form)) {
      for (int step = 0; step < STEPS; step++) {
        addGradient(store, step, ranks.rank(), ranks.size());
        assertThat(optimizer.step(0.01, 1).applied()).isTrue();
      }
      return HostCopy.doubles(store.onlyBucket().values());
    }
  }

  private static StateForm form(MomentForm moments, boolean master) {
    return new StateForm(moments, master, GradientForm.FP32);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, BF16, true, 0.01",
    "FLOAT32, BITS8, true, 0.03",
    "BFLOAT16, FP32, false, 0.04",
    "BFLOAT16, BF16, true, 0.02",
    "BFLOAT16, BITS8, false, 0.04",
    "FLOAT16, BITS8, true, 0.03"
  })
  void trainLikeFp32AndAlikeOnAnyNumberOfRanks(
      Dtype dtype, MomentForm moments, boolean master, double tolerance) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    double[] wide = train(new SingleRank(), 0, Dtype.FLOAT32, StateForm.FULL);
    double[] narrow = train(new SingleRank(), 0, dtype, form(moments, master));
    double moved = 0;
    double off = 0;
    for (int i = 0; i < wide.length; i++) {
      moved = Math.max(moved, Math.abs(wide[i]));
      off = Math.max(off, Math.abs(wide[i] - narrow[i]));
    }
    assertThat(off).isPositive().isLessThan(tolerance * moved);
    for (int zero = 0; zero < 2; zero++) {
      int stage = zero;
      Map<Integer, double[]> ranks = new ConcurrentHashMap<>();
      LocalRanks.run(
          3, world -> ranks.put(world.rank(), train(world, stage, dtype, form(moments, master))));
      ranks.values().forEach(one -> assertThat(one).isEqualTo(narrow));
    }
    before.assertUnchanged();
  }

  /** The law of rounding by chance: ten thousand updates of a thousandth of the last bit. */
  @Test
  void smallUpdatesCountAsTheirSum() {
    double lastBit = Math.scalb(1.0, -7); // of bf16 between 1 and 2
    int updates = 10_000;
    AdamWSettings plain = new AdamWSettings(0, 0, 1e-30, 0, 0);
    try (ParameterStore store = store(Dtype.BFLOAT16, 1, GradientForm.FP32);
        ShardedOptimizer optimizer =
            optimizer(store, new SingleRank(), plain, 0, form(MomentForm.FP32, false))) {
      Tensors.fill(store.onlyBucket().values(), 1.5);
      store.resetGradients();
      for (Parameter parameter : store.parameters()) {
        parameter.addGradientInPlace(gradient -> Tensors.fill(gradient, -1));
      }
      for (int update = 0; update < updates; update++) {
        optimizer.step(lastBit / 1000, 1);
      }
      double[] moved =
          Arrays.stream(HostCopy.doubles(store.onlyBucket().values()))
              .map(value -> (value - 1.5) / lastBit)
              .toArray();
      double mean = Arrays.stream(moved).average().orElseThrow();
      double variance =
          Arrays.stream(moved).map(it -> (it - mean) * (it - mean)).sum() / (LENGTH - 1);
      // Each update moves a weight by one bit with the chance p: binomial, n p and n p (1 - p).
      double expected = updates / 1000.0;
      double sigma = Math.sqrt(expected * 0.999 / LENGTH);
      assertThat(mean).isCloseTo(expected, within(3 * sigma));
      assertThat(variance / (expected * 0.999)).isCloseTo(1, within(4 * Math.sqrt(2.0 / LENGTH)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FP32, true, FP32, 16",
    "BF16, true, FP32, 12",
    "BITS8, true, FP32, 10",
    "BF16, false, FP32, 10",
    "BITS8, false, FP32, 8",
    "BITS8, false, BF16, 6"
  })
  void takeTheBytesThatTheyPromise(
      MomentForm moments, boolean master, GradientForm gradients, int bytes) {
    StateForm form = new StateForm(moments, master, gradients);
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    long live = MemoryLedger.of(DEVICE).liveBytes();
    try (ParameterStore store = store(Dtype.BFLOAT16, 1, gradients);
        ShardedOptimizer _ = optimizer(store, new SingleRank(), SETTINGS, 0, form)) {
      double each = (double) (MemoryLedger.of(DEVICE).liveBytes() - live) / LENGTH;
      double small = 0.2; // buffers of the step itself
      assertThat(each).isCloseTo(form.bytesPerWeight(Precision.BF16), within(small));
      assertThat(form.bytesPerWeight(Precision.BF16)).isCloseTo(bytes, within(0.07));
    }
    before.assertUnchanged();
  }

  @ParameterizedTest
  @CsvSource({"BF16", "BITS8"})
  void momentsAreReadAndWrittenInStretches(MomentForm moments) {
    try (ParameterStore store = store(Dtype.BFLOAT16, 1, GradientForm.FP32);
        ShardedOptimizer optimizer =
            optimizer(store, new SingleRank(), SETTINGS, 0, form(moments, true))) {
      addGradient(store, 0, 0, 1);
      optimizer.step(0.01, 1);
      AdamW states = optimizer.slices().getFirst().states();
      for (MomentBuffer moment : List.of(states.firstMoment(), states.secondMoment())) {
        try (Tensor whole = moment.read(0, LENGTH);
            Tensor part = moment.read(256, 200)) {
          double[] all = HostCopy.doubles(whole);
          assertThat(Arrays.stream(all).anyMatch(number -> number != 0)).isTrue();
          assertThat(HostCopy.doubles(part)).isEqualTo(Arrays.copyOfRange(all, 256, 456));
          double[] kept = HostCopy.doubles(moment.values());
          moment.write(0, whole);
          assertThat(HostCopy.doubles(moment.values())).isEqualTo(kept);
        }
      }
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatThrownBy(
            () -> train(new SingleRank(), 0, Dtype.FLOAT16, form(MomentForm.FP32, false)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("float16 with no master weights");
    assertThatThrownBy(() -> train(new SingleRank(), 0, Dtype.FLOAT64, form(MomentForm.BF16, true)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("float64 with bf16 moments");
  }
}
