package dev.duoka.parallel.seam;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.autograd.DeferredWeights;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weight gradients that are put off, in another order, with each kind of recompute. */
class SplitBackwardTests {
  private static final String FORWARD = "0F0,0F1,0F2,0F3,";

  /** Each micro-batch's gradients at once, in an order of its own. */
  private static final String FUSED = FORWARD + "0B2,0B0,0B3,0B1";

  /** The reduction in the middle is where the test looks at the ledger. */
  private static final String SPLIT =
      FORWARD + "0I0,0I1,0I2,0I3,0REDUCE_GRAD,0W2,0W0,0W3,0W1,0REDUCE_GRAD";

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, NONE, ALL",
    "tiny-llama, SELECTIVE, ALL",
    "tiny-llama, FULL, ALL",
    "tiny-v2, SELECTIVE, KEPT",
    "tiny-v3, NONE, ALL",
    "tiny-v3, SELECTIVE, ALL",
    "tiny-v3, FULL, ALL"
  })
  void sameBitsInAnotherOrder(String preset, Recompute recompute, DeferredWeights deferred) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    ModelConfig config = TinyRuns.withLayers(TinyRuns.config(preset), 3, 0);
    List<Long> waiting = new ArrayList<>();
    List<double[]> split = gradients(config, recompute, deferred, SPLIT, waiting);
    List<double[]> fused = gradients(config, recompute, deferred, FUSED, new ArrayList<>());
    assertThat(split).hasSameSizeAs(fused).isNotEmpty();
    for (int i = 0; i < split.size(); i++) {
      // Not by AssertJ, which looks at each element by itself.
      assertThat(Arrays.equals(split.get(i), fused.get(i))).as("parameter " + i).isTrue();
    }
    assertThat(waiting.get(0)).as("what waits is on the ledger").isPositive();
    assertThat(waiting.get(1)).as("nothing waits in the end").isZero();
    before.assertUnchanged();
  }

  /**
   * Unless a schedule says otherwise a recomputed block's weight gradients follow at once: what
   * waits is what the embedding, the last norm and the head need, not the layers.
   */
  @Test
  void recomputedBlocksDoNotWaitUnlessTold() {
    ModelConfig config = TinyRuns.withLayers(TinyRuns.config("tiny-llama"), 3, 0);
    List<Long> kept = new ArrayList<>();
    List<Long> all = new ArrayList<>();
    gradients(config, Recompute.FULL, DeferredWeights.KEPT, SPLIT, kept);
    gradients(config, Recompute.FULL, DeferredWeights.ALL, SPLIT, all);
    assertThat(kept.getFirst()).isLessThan(all.getFirst() / 4);
  }

  private static List<double[]> gradients(
      ModelConfig config,
      Recompute recompute,
      DeferredWeights deferred,
      String actions,
      List<Long> waiting) {
    ComputeThread.prepare(Device.CPU, 1, 1);
    List<MicroBatch> batches = TinyRuns.batch(config, 0, 1, 4, 1, 3).microBatches();
    try (ThreadLedger mine = ThreadLedger.open(Device.CPU);
        Replica replica = new Replica(config, recompute, 4.0 * TinyRuns.LENGTH)) {
      WeightInitializer.initialize(replica.model(), 7);
      replica.executor().defer(deferred);
      replica.passes(
          Schedule.parse(actions),
          batches,
          () -> waiting.add(mine.ledger().liveByOwner().getOrDefault(MemoryOwner.WAITING, 0L)));
      return replica.model().parameters().parameters().stream()
          .map(parameter -> HostCopy.doubles(parameter.gradient()))
          .toList();
    }
  }
}
