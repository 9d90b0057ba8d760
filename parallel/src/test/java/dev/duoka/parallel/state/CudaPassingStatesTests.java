package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.Section;
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
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * On a GPU, states that come from page-locked host memory and go back are updated to the bit as
 * states that are there, though copies, kernels and the next step overlap: steps are launched one
 * behind the other and nothing waits for their end.
 */
@Tag("cuda")
class CudaPassingStatesTests {
  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0.5);
  private static final Comparator<double[]> BITS = Arrays::compare;
  private static final int STEPS = 3;
  private static final int BLOCKS = 3;

  /** Each keeps the card busy for more than a millisecond. */
  private static final int PRODUCTS = 300;

  private static final OffloadUpdate DEVICE = OffloadUpdate.DEVICE;
  private static final long SEED = 11;

  /** Odd; some pieces of a bucket, the last of them short. */
  private static final long FIRST = 700_003;

  private static final long SECOND = 1_100_009;

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, FP32, true, FP32",
    "BFLOAT16, FP32, true, FP32",
    "FLOAT16, FP32, true, FP32",
    "BFLOAT16, BF16, true, FP32",
    "BFLOAT16, BITS8, true, FP32",
    "FLOAT32, BITS8, true, FP32",
    "BFLOAT16, FP32, false, FP32",
    "BFLOAT16, BF16, false, BF16",
    "BFLOAT16, BITS8, false, BF16",
  })
  void areUpdatedToTheBitAsIfTheyWereThere(
      Dtype dtype, MomentForm moments, boolean master, GradientForm gradients) {
    StateForm form = new StateForm(moments, master, gradients);
    List<double[]> here = train(dtype, new StateSettings(form, Offload.NONE, DEVICE, SEED), 128);
    StateSettings away = new StateSettings(form, Offload.OPTIMIZER, DEVICE, SEED);
    for (long piece : new long[] {1 << 16, 1 << 19, StatePassage.piece(1)}) {
      for (double fraction : new double[] {1, 0.5}) {
        assertThat(train(dtype, away.offloading(fraction), piece))
            .as("%s of the states in pieces of %d", fraction, piece)
            .usingElementComparator(BITS)
            .isEqualTo(here);
      }
    }
  }

  /** Norms, weights and states; in the second step a gradient is infinite. */
  private static List<double[]> train(Dtype dtype, StateSettings states, long piece) {
    Device device = TestDevice.cuda();
    Residency residency =
        states.offload() == Offload.NONE ? Residency.ALL : Residency.ALL.valuesLater();
    List<double[]> seen = new ArrayList<>();
    List<PendingOutcome> outcomes = new ArrayList<>();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ParameterStore store = store(dtype, device, states.form().gradients(), residency);
        ShardedOptimizer optimizer = optimizer(store, states, piece)) {
      optimizer.fill(() -> write(store, 191));
      List<Map<String, Tensor>> addends = new ArrayList<>();
      for (int step = 0; step <= STEPS; step++) {
        addends.add(addends(store, step));
      }
      for (int step = 0; step <= STEPS; step++) {
        forwardAndBackward(store, addends.get(step));
        if (step == 1) {
          store
              .parameters()
              .getLast()
              .addGradientInPlace(it -> Tensors.fill(it, Double.POSITIVE_INFINITY));
        }
        Poison.freeMemory(device);
        outcomes.add(optimizer.launch(0.01 / (1 + step), 1));
        if (outcomes.size() == 2) { // as a run reads them: one step late
          seen.add(new double[] {outcomes.removeFirst().await().gradientNorm()});
        }
      }
      seen.add(new double[] {outcomes.getFirst().await().gradientNorm()});
      assertThat(optimizer.steps()).isEqualTo(STEPS);
      store.parameters().forEach(it -> seen.add(HostCopy.doubles(it.value())));
      for (StateSlice slice : optimizer.slices()) {
        AdamW kept = slice.states();
        try (Tensor master = kept.master().read();
            Tensor first = kept.firstMoment().read(0, slice.length());
            Tensor second = kept.secondMoment().read(0, slice.length())) {
          seen.add(HostCopy.doubles(master));
          seen.add(HostCopy.doubles(first));
          seen.add(HostCopy.doubles(second));
        }
      }
      optimizer.publish();
      store.parameters().forEach(it -> seen.add(HostCopy.doubles(it.value())));
    }
    return seen;
  }

  private static ShardedOptimizer optimizer(
      ParameterStore store, StateSettings states, long piece) {
    return new ShardedOptimizer(
        store,
        GradientGroups.of(
            new SingleRank(), store.parameters().stream().map(Parameter::name).toList()),
        SETTINGS,
        0,
        states,
        piece);
  }

  /** While the card is busy two steps are launched, and nobody waits. */
  @Test
  void aLaunchWaitsForNoDevice() {
    Device device = TestDevice.cuda();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ParameterStore store =
            store(Dtype.BFLOAT16, device, GradientForm.FP32, Residency.ALL.valuesLater());
        ShardedOptimizer optimizer =
            optimizer(
                store,
                new StateSettings(StateForm.FULL, Offload.OPTIMIZER, DEVICE, SEED),
                1 << 19);
        HostTransfer marks = new HostTransfer(device)) {
      optimizer.fill(() -> write(store, 191));
      Map<String, Tensor> addends = addends(store, 0);
      Tensor busy = Tensors.full(0.01, Dtype.BFLOAT16, device, 8192, 8192);
      Products.mm(busy, busy);
      forwardAndBackward(store, addends);
      optimizer.launch(0.01, 1).await(); // loads the kernels
      double[] before = HostCopy.doubles(store.parameters().getLast().value());
      for (int i = 0; i < PRODUCTS; i++) {
        try (Scope _ = Scope.open()) {
          Products.mm(busy, busy);
        }
      }
      HostTransfer.Mark end = marks.now();
      List<PendingOutcome> outcomes = new ArrayList<>();
      for (int step = 0; step < 2; step++) {
        forwardAndBackward(store, addends);
        outcomes.add(optimizer.launch(0.01, 1));
      }
      assertThat(end.isReached()).as("the products have ended").isFalse();
      end.forget();
      outcomes.forEach(outcome -> assertThat(outcome.await().applied()).isTrue());
      assertThat(HostCopy.doubles(store.parameters().getLast().value())).isNotEqualTo(before);
    }
  }

  private static ParameterStore store(
      Dtype dtype, Device device, GradientForm gradients, Residency residency) {
    List<ParameterSpec> specs = new ArrayList<>();
    for (int block = 0; block < BLOCKS; block++) {
      for (long size : new long[] {FIRST, SECOND}) {
        specs.add(
            new ParameterSpec(
                block + "." + size,
                List.of(List.of(Section.of(Axis.HIDDEN, size))),
                new Initializer.Constant(0),
                block));
      }
    }
    return new ParameterStore(
        specs,
        new ParameterStore.Storage(
            dtype,
            device,
            _ -> 1,
            true,
            _ -> BucketKey.ONE_GROUP,
            _ -> residency,
            _ -> gradients,
            _ -> UpdateFactors.ONE));
  }

  private static void write(ParameterStore store, long seed) {
    for (Parameter parameter : store.parameters()) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Copies.into(
            parameter.value(),
            new Inputs(seed + parameter.name().hashCode(), Dtype.FLOAT32, store.device())
                .coarse(parameter.spec().elements()));
      }
    }
  }

  /** Gradients that depend on the weights, so that one that is used too early is noticed. */
  private static void forwardAndBackward(ParameterStore store, Map<String, Tensor> addends) {
    store.resetGradients();
    for (Parameter parameter : store.parameters()) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor used = Copies.cast(parameter.value(), Dtype.FLOAT32);
        parameter.addGradient(addends.getOrDefault(parameter.name(), used));
        parameter.addGradient(used);
      }
    }
  }

  /** Of a step, on the device before the first is launched: copies from the host would wait. */
  private static Map<String, Tensor> addends(ParameterStore store, int step) {
    Map<String, Tensor> addends = new HashMap<>();
    for (Parameter parameter : store.parameters()) {
      long seed = 17L * step + parameter.name().hashCode();
      addends.put(
          parameter.name(),
          new Inputs(seed, Dtype.FLOAT32, store.device()).coarse(parameter.spec().elements()));
    }
    return addends;
  }
}
