package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class ShardedOptimizerTests {
  private static final Device DEVICE = TestDevice.current();
  private static final int LENGTH = 6 * 128;
  private static final int STEPS = 6;
  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);

  private static ParameterStore store(Dtype dtype, int shards) {
    ParameterStore store =
        new ParameterStore(
            List.of(
                ParameterSpec.plain("a", List.of(512L), new Initializer.Constant(0)),
                ParameterSpec.plain("b", List.of(2L, 128L), new Initializer.Constant(0))),
            new ParameterStore.Storage(dtype, DEVICE, shards, true));
    try (Tensor start = new Inputs(181, Dtype.FLOAT32, DEVICE).coarse(LENGTH)) {
      Copies.into(store.onlyBucket().values(), start);
    }
    return store;
  }

  /** The part of a step's gradient that rank {@code rank} of {@code ranks} computes. */
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

  /** Masters or weights after some steps, and the norms on the way. */
  private static final class Result {
    final double[] weights;
    final double[] norms;

    Result(double[] weights, double[] norms) {
      this.weights = weights;
      this.norms = norms;
    }
  }

  private static Result train(
      Dtype dtype, int zeroStage, Communicator collectives, double lossScale) {
    int ranks = collectives.size();
    double[] norms = new double[STEPS];
    try (ParameterStore store = store(dtype, ranks);
        ShardedOptimizer optimizer =
            new ShardedOptimizer(store, collectives, SETTINGS, zeroStage)) {
      assertThat(optimizer.isSharded()).isEqualTo(zeroStage == 1 && ranks > 1);
      for (int step = 0; step < STEPS; step++) {
        addGradient(store, step, collectives.rank(), ranks);
        Elementwise.mulInPlace(store.onlyBucket().gradients(), lossScale);
        StepOutcome outcome = optimizer.step(rate(step), lossScale);
        assertThat(outcome.applied()).isTrue();
        norms[step] = outcome.gradientNorm();
      }
      assertThat(optimizer.steps()).isEqualTo(STEPS);
      if (dtype != Dtype.FLOAT32) {
        try (Tensor master = optimizer.slices().getFirst().states().master().read();
            Tensor rounded = Copies.cast(master, dtype);
            Tensor mine =
                Views.narrow(
                    store.onlyBucket().values(),
                    0,
                    optimizer.slices().getFirst().offset(),
                    rounded.size(0))) {
          assertThat(HostCopy.doubles(mine)).isEqualTo(HostCopy.doubles(rounded));
        }
      }
      return new Result(HostCopy.doubles(store.onlyBucket().values()), norms);
    }
  }

  private static double rate(int step) {
    return 0.01 / (1 + step);
  }

  private static Result truth() {
    PlainAdamW plain;
    double[] norms = new double[STEPS];
    try (ParameterStore store = store(Dtype.FLOAT32, 1)) {
      plain = new PlainAdamW(SETTINGS, HostCopy.doubles(store.onlyBucket().values()));
      for (int step = 0; step < STEPS; step++) {
        addGradient(store, step, 0, 1);
        norms[step] = plain.step(rate(step), HostCopy.doubles(store.onlyBucket().gradients()));
      }
    }
    return new Result(plain.weights, norms);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 0, 1",
    "FLOAT32, 1, 1",
    "FLOAT32, 0, 2",
    "FLOAT32, 0, 3",
    "FLOAT32, 1, 2",
    "FLOAT32, 1, 3",
    "BFLOAT16, 0, 1",
    "BFLOAT16, 1, 2",
    "FLOAT16, 1, 3"
  })
  void agreesWithPlainJavaOnAnyNumberOfRanks(Dtype dtype, int zeroStage, int ranks) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    Result expected = truth();
    ConcurrentMap<Integer, Result> results = new ConcurrentHashMap<>();
    double lossScale = dtype == Dtype.FLOAT16 ? 1024 : 1;
    LocalRanks.run(
        ranks,
        collectives ->
            results.put(collectives.rank(), train(dtype, zeroStage, collectives, lossScale)));
    assertThat(results).hasSize(ranks);
    Result first = results.getOrDefault(0, expected);
    for (Result result : results.values()) {
      assertThat(result.weights).isEqualTo(first.weights);
      double tolerance = dtype == Dtype.FLOAT32 ? 1e-6 : 2 * Numbers.tolerance(dtype) / 5;
      Numbers.assertClose("weights", result.weights, expected.weights, tolerance);
      Numbers.assertClose("norms", result.norms, expected.norms, 1e-6);
    }
    before.assertUnchanged();
  }

  @Test
  void shardedStatesTakeAShareOfTheMemory() {
    LocalRanks.run(
        2,
        collectives -> {
          try (ParameterStore store = store(Dtype.BFLOAT16, 2)) {
            collectives.agreement().barrier();
            long before = states();
            collectives.agreement().barrier();
            try (ShardedOptimizer _ = new ShardedOptimizer(store, collectives, SETTINGS, 1)) {
              collectives.agreement().barrier();
              // Both ranks' halves: one set of two moments and what bf16 leaves, 10 bytes a weight.
              assertThat(states() - before).isEqualTo(10L * LENGTH);
              collectives.agreement().barrier();
            }
            collectives.agreement().barrier();
          }
        });
  }

  private static long states() {
    Map<MemoryOwner, Long> live = MemoryLedger.of(DEVICE).liveByOwner();
    return live.getOrDefault(MemoryOwner.OPTIMIZER, 0L)
        + live.getOrDefault(MemoryOwner.MASTER_WEIGHTS, 0L);
  }

  @ParameterizedTest
  @CsvSource({"NaN, 1", "Infinity, 1", "-Infinity, 2"})
  void anOverflowOnAnyRankSkipsTheStepOnAll(double bad, int ranks) {
    LocalRanks.run(
        ranks,
        collectives -> {
          try (ParameterStore store = store(Dtype.BFLOAT16, ranks);
              ShardedOptimizer optimizer = new ShardedOptimizer(store, collectives, SETTINGS, 1)) {
            addGradient(store, 0, collectives.rank(), ranks);
            optimizer.step(0.01, 1);
            double[][] before = state(store, optimizer);
            addGradient(store, 1, collectives.rank(), ranks);
            if (collectives.rank() == ranks - 1) {
              try (Tensor element = Views.slice(store.onlyBucket().gradients(), 5, 1)) {
                Tensors.fill(element, bad);
              }
            }
            StepOutcome outcome = optimizer.step(0.01, 1);
            assertThat(outcome.applied()).isFalse();
            assertThat(outcome.gradientNorm()).isNotFinite();
            assertThat(optimizer.steps()).isEqualTo(1);
            assertThat(state(store, optimizer)).isDeepEqualTo(before);
            // The next step works again, and counts as the second.
            addGradient(store, 2, collectives.rank(), ranks);
            assertThat(optimizer.step(0.01, 1).applied()).isTrue();
            assertThat(optimizer.steps()).isEqualTo(2);
          }
        });
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

  @Test
  void clipsOnlyWhatIsLonger() {
    for (double clip : new double[] {0, 1e9, 0.5}) {
      AdamWSettings settings = new AdamWSettings(0, 0.5, 1e-8, 0, clip);
      try (ParameterStore store = store(Dtype.FLOAT32, 1);
          ShardedOptimizer optimizer = new ShardedOptimizer(store, new SingleRank(), settings, 0)) {
        addGradient(store, 0, 0, 1);
        double[] gradient = HostCopy.doubles(store.onlyBucket().gradients());
        double norm = optimizer.step(0.1, 1).gradientNorm();
        assertThat(norm).isGreaterThan(1);
        double factor = clip == 0.5 ? clip / norm : 1;
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] *= factor;
        }
        // Without momentum the first moment is the clipped gradient.
        Numbers.assertClose(
            "clip " + clip,
            HostCopy.doubles(optimizer.slices().getFirst().states().firstMoment().values()),
            gradient,
            2e-6);
      }
    }
  }

  @Test
  void adoptsWeightsThatWereWrittenIntoTheStore() {
    try (ParameterStore store = store(Dtype.BFLOAT16, 1);
        ShardedOptimizer optimizer = new ShardedOptimizer(store, new SingleRank(), SETTINGS, 0)) {
      Tensors.fill(store.onlyBucket().values(), 3);
      optimizer.adoptValues();
      MasterBuffer master = optimizer.slices().getFirst().states().master();
      try (Tensor whole = master.read()) {
        assertThat(HostCopy.doubles(whole)).containsOnly(3);
        Tensors.fill(whole, 4);
        master.write(0, whole);
      }
      optimizer.publish();
      assertThat(HostCopy.doubles(store.onlyBucket().values())).containsOnly(4);
    }
  }

  @Test
  void refusesAStoreOfOtherShards() {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    2,
                    collectives -> {
                      try (ParameterStore store = store(Dtype.FLOAT32, 3)) {
                        new ShardedOptimizer(store, collectives, SETTINGS, 1).close();
                      }
                    }))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 shards for 2 ranks");
  }
}
