package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
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
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * States that pass through the device in pieces are updated to the bit as states that are there: in
 * pieces that are smaller than a bucket, of which the last is shorter, and that are larger.
 */
@Timeout(120)
class PassingStatesTests {
  private static final Device DEVICE = Device.CPU;
  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0.5);
  private static final Comparator<double[]> BITS = Arrays::compare;
  private static final int STEPS = 4;

  /** More than are launched ahead in pieces of 128. */
  private static final int BLOCKS = 12;

  /** With its padding 3 × 128 and 4 × 128: 7 pieces of 128, or 2 of 512 of which one is short. */
  private static final List<Long> SIZES = List.of(300L, 512L);

  private record Kept(
      Dtype dtype, StateForm form, int zero, Offload offload, long piece, double fraction) {
    Kept(Dtype dtype, StateForm form, int zero) {
      this(dtype, form, zero, Offload.NONE, 128, 1);
    }

    Kept away(long inPieces, double part) {
      return new Kept(dtype, form, zero, Offload.OPTIMIZER, inPieces, part);
    }

    Residency residency(int shards) {
      Residency here =
          shards == 1 || zero < 2
              ? Residency.ALL
              : zero == 2 ? Residency.VALUES : Residency.NOTHING;
      return offload == Offload.NONE ? here : here.valuesLater();
    }
  }

  private static ParameterStore store(Kept kept, int ranks) {
    List<ParameterSpec> specs = new ArrayList<>();
    for (int block = 0; block < BLOCKS; block++) {
      for (int i = 0; i < SIZES.size(); i++) {
        specs.add(
            new ParameterSpec(
                block + "." + i,
                List.of(List.of(Section.of(Axis.HIDDEN, SIZES.get(i)))),
                new Initializer.Constant(0),
                block));
      }
    }
    int shards = kept.zero() > 0 ? ranks : 1;
    return new ParameterStore(
        specs,
        new ParameterStore.Storage(
            kept.dtype(),
            DEVICE,
            _ -> shards,
            true,
            _ -> BucketKey.ONE_GROUP,
            _ -> kept.residency(shards),
            _ -> kept.form().gradients(),
            _ -> UpdateFactors.ONE));
  }

  private static ShardedOptimizer optimizer(Kept kept, ParameterStore store, Communicator ranks) {
    return new ShardedOptimizer(
        store,
        GradientGroups.of(ranks, store.parameters().stream().map(Parameter::name).toList()),
        SETTINGS,
        kept.zero(),
        new StateSettings(kept.form(), kept.offload(), OffloadUpdate.DEVICE, 7)
            .offloading(kept.fraction()),
        kept.piece());
  }

  private static void write(ParameterStore store) {
    for (Parameter parameter : store.parameters()) {
      long elements = parameter.spec().elements();
      try (Tensor start =
          new Inputs(181 + parameter.name().hashCode(), Dtype.FLOAT32, DEVICE).coarse(elements)) {
        Copies.into(parameter.value(), start);
      }
    }
  }

  /** Gradients of a step, the weights of which are used before as a forward pass does. */
  private static void addGradients(ParameterStore store, int step, Communicator ranks) {
    store.resetGradients();
    for (Parameter parameter : store.parameters()) {
      assertThat(parameter.value().elements()).isEqualTo(parameter.spec().elements());
    }
    boolean once = store.buckets().getFirst().gradientDtype() == Dtype.BFLOAT16;
    for (int pass = 0; pass < (once ? 1 : 2); pass++) {
      for (Parameter parameter : store.parameters().reversed()) {
        long seed = 11L * step + 1000L * ranks.rank() + pass + parameter.name().hashCode();
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          parameter.addGradient(
              new Inputs(seed, Dtype.FLOAT32, DEVICE).coarse(parameter.spec().elements()));
        }
      }
    }
  }

  /** Norms, weights and states after some steps, the third of which has a gradient of NaN. */
  private static List<double[]> train(Kept kept, Communicator ranks) {
    List<double[]> seen = new ArrayList<>();
    try (ParameterStore store = store(kept, ranks.size());
        ShardedOptimizer optimizer = optimizer(kept, store, ranks)) {
      optimizer.fill(() -> write(store));
      for (int step = 0; step < STEPS; step++) {
        addGradients(store, step, ranks);
        if (step == 2) {
          List<double[]> before = states(store, optimizer);
          store.parameters().getFirst().addGradientInPlace(it -> Tensors.fill(it, Double.NaN));
          assertThat(optimizer.step(0.01, 1).applied()).isFalse();
          assertThat(states(store, optimizer)).usingElementComparator(BITS).isEqualTo(before);
        } else {
          StepOutcome outcome = optimizer.step(0.01 / (1 + step), 1);
          assertThat(outcome.applied()).isTrue();
          seen.add(new double[] {outcome.gradientNorm()});
        }
      }
      seen.addAll(states(store, optimizer));
      optimizer.publish();
      store.parameters().forEach(it -> seen.add(HostCopy.doubles(it.value())));
    }
    return seen;
  }

  private static List<double[]> states(ParameterStore store, ShardedOptimizer optimizer) {
    List<double[]> seen = new ArrayList<>();
    store.parameters().forEach(it -> seen.add(HostCopy.doubles(it.value())));
    for (StateSlice slice : optimizer.slices()) {
      AdamW states = slice.states();
      try (Tensor master = states.master().read();
          Tensor first = states.firstMoment().read(0, slice.length());
          Tensor second = states.secondMoment().read(0, slice.length())) {
        seen.add(HostCopy.doubles(master));
        seen.add(HostCopy.doubles(first));
        seen.add(HostCopy.doubles(second));
      }
    }
    return seen;
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT64, FP32, true, FP32, 0, 1",
    "FLOAT32, FP32, true, FP32, 0, 1",
    "FLOAT32, BITS8, true, FP32, 1, 2",
    "BFLOAT16, FP32, true, FP32, 0, 1",
    "BFLOAT16, FP32, true, FP32, 0, 2",
    "BFLOAT16, FP32, true, FP32, 1, 2",
    "BFLOAT16, FP32, true, FP32, 2, 2",
    "BFLOAT16, FP32, true, FP32, 3, 2",
    "FLOAT16, FP32, true, FP32, 1, 2",
    "BFLOAT16, BF16, true, FP32, 0, 1",
    "BFLOAT16, BF16, true, FP32, 2, 2",
    "BFLOAT16, BITS8, true, FP32, 0, 1",
    "BFLOAT16, BITS8, true, BF16, 1, 2",
    "BFLOAT16, FP32, false, FP32, 0, 1",
    "BFLOAT16, BF16, false, BF16, 3, 2",
    "BFLOAT16, BITS8, false, FP32, 0, 1",
    "BFLOAT16, BITS8, false, FP32, 3, 2",
  })
  void areUpdatedToTheBitAsIfTheyWereThere(
      Dtype dtype,
      MomentForm moments,
      boolean master,
      GradientForm gradients,
      int zero,
      int ranks) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    Kept here = new Kept(dtype, new StateForm(moments, master, gradients), zero);
    Map<Integer, List<double[]>> expected = onRanks(here, ranks);
    for (Kept away :
        List.of(
            here.away(128, 1),
            here.away(512, 1),
            here.away(1 << 20, 1),
            here.away(128, 0.5),
            here.away(512, 0.01))) {
      Map<Integer, List<double[]>> there = onRanks(away, ranks);
      for (int rank = 0; rank < ranks; rank++) {
        assertThat(there.get(rank))
            .as("rank %d, %s", rank, away)
            .usingElementComparator(BITS)
            .isEqualTo(expected.get(rank));
      }
    }
    before.assertUnchanged();
  }

  private static Map<Integer, List<double[]>> onRanks(Kept kept, int ranks) {
    Map<Integer, List<double[]>> all = new ConcurrentHashMap<>();
    if (ranks == 1) {
      all.put(0, train(kept, new SingleRank()));
    } else {
      LocalRanks.run(ranks, world -> all.put(world.rank(), train(kept, world)));
    }
    return all;
  }

  /** The states of the first weights of a forward pass stay, of as many as the fraction leaves. */
  @ParameterizedTest
  @CsvSource({"1, 12", "0.6, 8", "0.5, 6", "0.25, 3", "0.001, 1"})
  void theFirstStay(double fraction, int passing) {
    Kept kept = new Kept(Dtype.BFLOAT16, StateForm.FULL, 0).away(128, fraction);
    try (ParameterStore store = store(kept, 1);
        ShardedOptimizer optimizer = optimizer(kept, store, new SingleRank())) {
      List<StateSlice> slices = optimizer.slices();
      assertThat(slices.stream().filter(StateSlice::passes)).hasSize(passing);
      assertThat(slices.getLast().passes()).isTrue();
      assertThat(slices.getFirst().passes()).isEqualTo(passing == BLOCKS);
    }
  }

  /** A stream that had to take all of them at once would hold up the thread. */
  @Test
  void updatesAreLaunchedAsTheirWeightsAreAskedFor() {
    Kept kept = new Kept(Dtype.BFLOAT16, StateForm.FULL, 0).away(128, 1);
    try (ParameterStore store = store(kept, 1);
        ShardedOptimizer optimizer = optimizer(kept, store, new SingleRank())) {
      optimizer.fill(() -> write(store));
      double[] first = master(optimizer.slices().getFirst());
      double[] last = master(optimizer.slices().getLast());
      addGradients(store, 0, new SingleRank());
      optimizer.step(0.01, 1);
      assertThat(master(optimizer.slices().getFirst())).isNotEqualTo(first);
      assertThat(master(optimizer.slices().getLast())).isEqualTo(last);
      store.parameters().getLast().value();
      assertThat(master(optimizer.slices().getLast())).isNotEqualTo(last);
    }
  }

  /** A step that is forgotten in its forward pass leaves those of the step before in line. */
  @ParameterizedTest
  @CsvSource({"1", "0.5"})
  void aStepThatIsTakenBackLosesNone(double fraction) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    Kept kept = new Kept(Dtype.BFLOAT16, StateForm.FULL, 0).away(128, fraction);
    List<List<double[]>> ends = new ArrayList<>();
    for (boolean fails : new boolean[] {false, true}) {
      try (ParameterStore store = store(kept, 1);
          ShardedOptimizer optimizer = optimizer(kept, store, new SingleRank())) {
        optimizer.fill(() -> write(store));
        addGradients(store, 0, new SingleRank());
        optimizer.step(0.01, 1);
        if (fails) {
          store.resetGradients();
          Parameter first = store.parameters().getFirst();
          try (Tensor some = Tensors.full(3, first.value().dtype(), DEVICE, SIZES.getFirst())) {
            first.addGradient(some);
          }
          assertThat(optimizer.takeBack(false)).isTrue();
        }
        addGradients(store, 1, new SingleRank());
        optimizer.step(0.01, 1);
        ends.add(states(store, optimizer));
        addGradients(store, 2, new SingleRank());
        optimizer.step(0.01, 1); // and closes with updates in line
      }
    }
    assertThat(ends.get(1)).usingElementComparator(BITS).isEqualTo(ends.getFirst());
    before.assertUnchanged();
  }

  private static double[] master(StateSlice slice) {
    try (Tensor master = slice.unread().master().read()) {
      return HostCopy.doubles(master);
    }
  }

  /** What is written into the states is published, and what is written into weights taken over. */
  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"BFLOAT16", "FLOAT16"})
  void mastersComeAndLeave(Dtype dtype) {
    Kept kept = new Kept(dtype, StateForm.FULL, 0).away(128, 1);
    try (ParameterStore store = store(kept, 1);
        ShardedOptimizer optimizer = optimizer(kept, store, new SingleRank())) {
      write(store);
      optimizer.adoptValues();
      for (StateSlice slice : optimizer.slices()) {
        double[] values = HostCopy.doubles(slice.values());
        assertThat(values).contains(values[0]).isNotEqualTo(new double[values.length]);
        MasterBuffer master = slice.states().master();
        try (Tensor whole = master.read()) {
          assertThat(HostCopy.doubles(whole)).isEqualTo(values);
          Tensors.fill(whole, 1.0 + slice.bucket().key().block());
          master.write(0, whole);
        }
      }
      optimizer.publish();
      for (Parameter parameter : store.parameters()) {
        double block = parameter.bucket().key().block();
        assertThat(HostCopy.doubles(parameter.value())).containsOnly(1.0 + block);
      }
    }
  }

  /** A few pieces are on the device, and beyond three no more than a quarter of the states. */
  @ParameterizedTest
  @CsvSource({"1, 256, 8", "1, 512, 5", "1, 896, 3", "0.5, 256, 3"})
  void takeTheRoomOfAFewPieces(double fraction, int length, int pieces) {
    StateForm form = new StateForm(MomentForm.BITS8, true, GradientForm.FP32);
    Kept here = new Kept(Dtype.BFLOAT16, form, 0);
    long piece = length * 2 + 2 * (length + length / 128 * 4); // masters, codes and scales
    long norm = 8; // kept while updates read it
    assertThat(optimizerBytes(here.away(length, fraction)) - optimizerBytes(here))
        .isEqualTo(pieces * piece + norm);
  }

  private static long optimizerBytes(Kept kept) {
    try (ParameterStore store = store(kept, 1);
        ShardedOptimizer _ = optimizer(kept, store, new SingleRank())) {
      return MemoryLedger.of(DEVICE).liveByOwner().getOrDefault(MemoryOwner.OPTIMIZER, 0L);
    }
  }
}
