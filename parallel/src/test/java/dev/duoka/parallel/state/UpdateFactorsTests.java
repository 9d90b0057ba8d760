package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
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
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights with a learning rate of their own, or without decay. */
@Timeout(120)
class UpdateFactorsTests {
  private static final int STEPS = 5;
  private static final double RATE = 0.01;
  private static final UpdateFactors OF_A = new UpdateFactors(0.5, 1);
  private static final UpdateFactors OF_B = new UpdateFactors(2, 0);

  private static AdamWSettings settings(double decay, double clip) {
    return new AdamWSettings(0.9, 0.95, 1e-8, decay, clip);
  }

  /** What is trained, and how it is kept. */
  private record Kept(Dtype dtype, StateForm form, Offload offload, int zero) {}

  private static ParameterStore store(
      Kept kept, int shards, Function<ParameterSpec, UpdateFactors> factors) {
    ParameterStore store =
        new ParameterStore(
            List.of(
                ParameterSpec.plain("a", List.of(500L), new Initializer.Constant(0)),
                ParameterSpec.plain("b", List.of(2L, 128L), new Initializer.Constant(0))),
            new ParameterStore.Storage(
                kept.dtype(),
                Device.CPU,
                _ -> shards,
                true,
                _ -> BucketKey.ONE_GROUP,
                _ -> kept.offload() == Offload.NONE ? Residency.ALL : Residency.NOTHING,
                _ -> GradientForm.FP32,
                factors));
    return store;
  }

  private static Tensor part(Tensor all, String name) {
    return name.equals("a") ? Views.narrow(all, 0, 0, 500) : Views.slice(all, 512, 2, 128);
  }

  /** The weights of each parameter after some steps. */
  private static Map<String, double[]> train(
      Communicator ranks,
      Kept kept,
      AdamWSettings settings,
      double rate,
      Function<ParameterSpec, UpdateFactors> factors) {
    int shards = kept.zero() > 0 ? ranks.size() : 1;
    try (ParameterStore store = store(kept, shards, factors);
        ShardedOptimizer optimizer =
            new ShardedOptimizer(
                store,
                GradientGroups.of(ranks, List.of("a", "b")),
                settings,
                kept.zero(),
                new StateSettings(kept.form(), kept.offload(), OffloadUpdate.HOST, 7))) {
      optimizer.fill(
          () -> {
            try (Tensor start = new Inputs(181, Dtype.FLOAT32, Device.CPU).coarse(768)) {
              store.parameters().forEach(it -> Copies.into(it.value(), part(start, it.name())));
            }
          });
      for (int step = 0; step < STEPS; step++) {
        store.resetGradients();
        addGradients(store, step, ranks.rank(), ranks.size());
        assertThat(optimizer.step(rate, 1).applied()).isTrue();
      }
      Map<String, double[]> weights = new ConcurrentHashMap<>();
      store.parameters().forEach(it -> weights.put(it.name(), HostCopy.doubles(it.value())));
      return weights;
    }
  }

  private static void addGradients(ParameterStore store, int step, int rank, int ranks) {
    for (int part = rank; part < 6; part += ranks) { // exact numbers: any order gives one sum
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor share = new Inputs(182 + 10L * step + part, Dtype.FLOAT32, Device.CPU).coarse(768);
        store.parameters().forEach(it -> it.addGradient(part(share, it.name())));
      }
    }
  }

  private static UpdateFactors each(ParameterSpec spec) {
    return spec.name().equals("a") ? OF_A : OF_B;
  }

  /** In any form and place: bit for bit what a run has in which all have those factors. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, FP32, true, NONE, 0, 1",
    "FLOAT32, FP32, true, NONE, 1, 3",
    "BFLOAT16, FP32, true, NONE, 0, 2",
    "BFLOAT16, BF16, false, NONE, 1, 2",
    "BFLOAT16, BITS8, true, NONE, 0, 1",
    "FLOAT32, BITS8, true, NONE, 1, 3",
    "BFLOAT16, FP32, true, OPTIMIZER, 0, 1",
    "BFLOAT16, BITS8, false, OPTIMIZER, 0, 2",
  })
  void areThoseOfRunsWithOneRate(
      Dtype dtype, MomentForm moments, boolean master, Offload offload, int zero, int ranks) {
    StateForm form = new StateForm(moments, master, GradientForm.FP32);
    Kept kept = new Kept(dtype, form, offload, zero);
    Kept simple = new Kept(dtype, form, offload, 0);
    SingleRank one = new SingleRank();
    double[] ofA =
        train(one, simple, settings(0.1, 1), 0.5 * RATE, _ -> UpdateFactors.ONE).get("a");
    double[] ofB = train(one, simple, settings(0, 1), 2 * RATE, _ -> UpdateFactors.ONE).get("b");
    Map<Integer, Map<String, double[]>> all = new ConcurrentHashMap<>();
    LocalRanks.run(
        ranks,
        world ->
            all.put(
                world.rank(),
                train(world, kept, settings(0.1, 1), RATE, UpdateFactorsTests::each)));
    assertThat(all).hasSize(ranks);
    all.values()
        .forEach(
            weights -> {
              assertThat(weights.get("a")).isEqualTo(ofA);
              assertThat(weights.get("b")).isEqualTo(ofB);
            });
  }

  @Test
  void agreesWithPlainJava() {
    Kept kept = new Kept(Dtype.FLOAT64, StateForm.FULL, Offload.NONE, 0);
    Map<String, double[]> weights =
        train(new SingleRank(), kept, settings(0.1, 0), RATE, UpdateFactorsTests::each);
    for (String name : List.of("a", "b")) {
      UpdateFactors factors = name.equals("a") ? OF_A : OF_B;
      try (Scope _ = Scope.open()) {
        Tensor start = new Inputs(181, Dtype.FLOAT32, Device.CPU).coarse(768);
        PlainAdamW plain =
            new PlainAdamW(settings(0.1 * factors.decay(), 0), HostCopy.doubles(part(start, name)));
        for (int step = 0; step < STEPS; step++) {
          try (ParameterStore store = store(kept, 1, _ -> UpdateFactors.ONE)) {
            addGradients(store, step, 0, 1);
            Parameter parameter = store.parameter(name);
            plain.step(RATE * factors.rate(), HostCopy.doubles(parameter.gradient()));
          }
        }
        assertThat(weights.get(name)).containsExactly(plain.weights, within(1e-12));
      }
    }
  }

  @Test
  void thoseOfOneKindShareABucket() {
    Kept kept = new Kept(Dtype.FLOAT32, StateForm.FULL, Offload.NONE, 0);
    try (ParameterStore store = store(kept, 1, UpdateFactorsTests::each)) {
      assertThat(store.buckets())
          .extracting(bucket -> bucket.key().factors())
          .containsExactly(OF_A, OF_B);
    }
    try (ParameterStore store = store(kept, 1, _ -> OF_A)) {
      assertThat(store.onlyBucket().key().factors()).isEqualTo(OF_A);
    }
    assertThatThrownBy(() -> new UpdateFactors(0, 1)).isInstanceOf(IllegalArgumentException.class);
  }
}
