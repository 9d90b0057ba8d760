package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Norm, clipping, AdamW and the copy to 16 bits in one kernel, against the composition that runs on
 * the CPU: over more elements than the kernel's grid has threads for, so that its loop turns.
 */
@Tag("cuda")
class CudaOptimizerTests {
  private static final long SEED = 191;
  private static final int STEPS = 3;

  /** Odd sizes; together more than the 2,162,688 elements of one round of the grid. */
  private static final long FIRST = 1_100_003;

  private static final long SECOND = 1_100_009;

  @ParameterizedTest
  @CsvSource({"BFLOAT16, 0", "BFLOAT16, 0.5", "BFLOAT16, 1e9", "FLOAT16, 0", "FLOAT16, 0.5"})
  void agreesWithTheComposition(Dtype dtype, double clipNorm) {
    double lossScale = dtype == Dtype.FLOAT16 ? 1024 : 1;
    double[][] cpu = train(dtype, Device.CPU, clipNorm, lossScale);
    double[][] cuda = train(dtype, TestDevice.cuda(), clipNorm, lossScale);
    // Both sum squares in fp64.
    Numbers.assertClose("norms", cuda[0], cpu[0], 1e-12);
    Numbers.assertClose("master weights", cuda[1], cpu[1], 1e-6);
    Numbers.assertClose("first moments", cuda[2], cpu[2], 2e-5);
    Numbers.assertClose("second moments", cuda[3], cpu[3], 4e-5);
    assertThat(train(dtype, TestDevice.cuda(), clipNorm, lossScale))
        .as("the same bits again")
        .isDeepEqualTo(cuda);
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"BFLOAT16", "FLOAT16"})
  void aNormThatIsNotFiniteChangesNothing(Dtype dtype) {
    Device device = TestDevice.cuda();
    AdamWSettings settings = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1);
    try (ParameterStore store = store(dtype, device);
        ShardedOptimizer optimizer = new ShardedOptimizer(store, new SingleRank(), settings, 0)) {
      addGradient(store, 0, 1);
      assertThat(optimizer.step(0.01, 1).applied()).isTrue();
      double[][] before = state(store, optimizer);
      for (double bad :
          new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
        addGradient(store, 1, 1);
        try (Tensor last = Views.slice(store.onlyBucket().gradients(), FIRST - 1, 1)) {
          Tensors.fill(last, bad);
        }
        StepOutcome outcome = optimizer.step(0.01, 1);
        assertThat(outcome.applied()).isFalse();
        assertThat(outcome.gradientNorm()).isNotFinite();
        assertThat(optimizer.steps()).isEqualTo(1);
        assertThat(state(store, optimizer)).isDeepEqualTo(before);
      }
      addGradient(store, 2, 1);
      assertThat(optimizer.step(0.01, 1).applied()).isTrue();
      assertThat(optimizer.steps()).isEqualTo(2);
      assertThat(state(store, optimizer)[1]).isNotEqualTo(before[1]);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, true, FP32, NONE",
    "BITS8, true, FP32, NONE",
    "FP32, false, FP32, NONE",
    "BITS8, false, FP32, NONE",
    "BITS8, false, BF16, NONE",
    "FP32, true, FP32, OPTIMIZER",
    "BITS8, false, FP32, OPTIMIZER",
  })
  void narrowStatesAreRoundedAsOnTheHost(
      MomentForm moments, boolean master, GradientForm gradients, Offload offload) {
    StateForm form = new StateForm(moments, master, gradients);
    double[][] cpu = trainNarrow(Device.CPU, form, Offload.NONE);
    double[][] cuda = trainNarrow(TestDevice.cuda(), form, offload);
    assertThat(trainNarrow(TestDevice.cuda(), form, offload)).isDeepEqualTo(cuda);
    Numbers.assertClose("norms", cuda[0], cpu[0], 1e-12);
    for (int state = 1; state < cuda.length; state++) {
      double largest = Arrays.stream(cpu[state]).map(Math::abs).max().orElseThrow();
      int same = 0;
      for (int i = 0; i < cuda[state].length; i++) {
        double near = 1e-5 * Math.abs(cpu[state][i]) + 1e-6 * largest;
        same += Math.abs(cuda[state][i] - cpu[state][i]) <= near ? 1 : 0;
      }
      // The last bit of the arithmetic differs, and with it a rounding now and then.
      assertThat((double) same / cuda[state].length).as("state %d", state).isGreaterThan(0.999);
    }
  }

  /** Norms, weights, first and second moments and master weights after some steps. */
  private static double[][] trainNarrow(Device device, StateForm form, Offload offload) {
    AdamWSettings settings = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0.5);
    double[] norms = new double[STEPS];
    try (ParameterStore store =
            store(
                device,
                form.gradients(),
                offload == Offload.NONE ? Residency.ALL : Residency.NOTHING);
        ShardedOptimizer optimizer =
            new ShardedOptimizer(
                store,
                GradientGroups.of(new SingleRank(), List.of("a", "b")),
                settings,
                0,
                new StateSettings(form, offload, OffloadUpdate.HOST, 11))) {
      optimizer.fill(() -> start(store, Dtype.BFLOAT16, device));
      for (int step = 0; step < STEPS; step++) {
        addGradient(store, step, 1);
        norms[step] = optimizer.step(0.01 / (1 + step), 1).gradientNorm();
      }
      AdamW states = optimizer.slices().getFirst().states();
      try (Tensor master = states.master().read();
          Tensor first = states.firstMoment().read(0, store.onlyBucket().length());
          Tensor second = states.secondMoment().read(0, store.onlyBucket().length())) {
        return new double[][] {
          norms,
          HostCopy.doubles(store.onlyBucket().values()),
          HostCopy.doubles(first),
          HostCopy.doubles(second),
          HostCopy.doubles(master)
        };
      }
    }
  }

  private static ParameterStore store(Device device, GradientForm gradients, Residency residency) {
    return new ParameterStore(
        List.of(
            ParameterSpec.plain("a", List.of(FIRST), new Initializer.Constant(0)),
            ParameterSpec.plain("b", List.of(SECOND), new Initializer.Constant(0))),
        new ParameterStore.Storage(
            Dtype.BFLOAT16,
            device,
            _ -> 1,
            true,
            _ -> BucketKey.ONE_GROUP,
            _ -> residency,
            _ -> gradients,
            _ -> UpdateFactors.ONE));
  }

  /** Norms, master weights, first and second moments after some steps. */
  private static double[][] train(Dtype dtype, Device device, double clipNorm, double lossScale) {
    AdamWSettings settings = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, clipNorm);
    double[] norms = new double[STEPS];
    try (ParameterStore store = store(dtype, device);
        ShardedOptimizer optimizer = new ShardedOptimizer(store, new SingleRank(), settings, 0)) {
      for (int step = 0; step < STEPS; step++) {
        addGradient(store, step, lossScale);
        if (device.isCuda()) {
          Poison.freeMemory(device);
        }
        StepOutcome outcome = optimizer.step(0.01 / (1 + step), lossScale);
        assertThat(outcome.applied()).isTrue();
        norms[step] = outcome.gradientNorm();
      }
      double[][] state = state(store, optimizer);
      try (Tensor master = optimizer.slices().getFirst().states().master().read();
          Tensor rounded = Copies.cast(master, dtype)) {
        assertThat(state[0]).as("compute weights").isEqualTo(HostCopy.doubles(rounded));
      }
      return new double[][] {norms, state[1], state[2], state[3]};
    }
  }

  private static ParameterStore store(Dtype dtype, Device device) {
    ParameterStore store =
        new ParameterStore(
            List.of(
                ParameterSpec.plain("a", List.of(FIRST), new Initializer.Constant(0)),
                ParameterSpec.plain("b", List.of(SECOND), new Initializer.Constant(0))),
            new ParameterStore.Storage(dtype, device, 1, true));
    start(store, dtype, device);
    return store;
  }

  private static void start(ParameterStore store, Dtype dtype, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, dtype, device);
      Copies.into(store.parameter("a").value(), inputs.coarse(FIRST));
      Copies.into(store.parameter("b").value(), inputs.coarse(SECOND));
    }
  }

  private static void addGradient(ParameterStore store, int step, double lossScale) {
    store.resetGradients();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs =
          new Inputs(SEED + 1 + step, Dtype.FLOAT32, store.onlyBucket().values().device());
      store.parameter("a").addGradient(inputs.coarse(FIRST));
      store.parameter("b").addGradient(inputs.coarse(SECOND));
    }
    Elementwise.mulInPlace(store.onlyBucket().gradients(), lossScale);
  }

  private static double[][] state(ParameterStore store, ShardedOptimizer optimizer) {
    AdamW states = optimizer.slices().getFirst().states();
    try (Tensor master = states.master().read()) {
      return new double[][] {
        HostCopy.doubles(store.onlyBucket().values()),
        HostCopy.doubles(master),
        HostCopy.doubles(states.firstMoment().values()),
        HostCopy.doubles(states.secondMoment().values())
      };
    }
  }
}
