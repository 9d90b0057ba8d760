package dev.duoka.measure.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.config.ModelSource;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

final class LayerActivationsTests {
  @Test
  void equalLayersKeepTheSameAndRecomputedOnesLess() {
    Map<Integer, Long> kept = bytes(Recompute.NONE);
    Map<Integer, Long> recomputed = bytes(Recompute.FULL);
    assertThat(kept.keySet()).isEqualTo(recomputed.keySet()).hasSizeGreaterThan(1);
    assertThat(kept.values()).allMatch(bytes -> bytes > 0);
    kept.forEach(
        (layer, bytes) -> assertThat(recomputed.getOrDefault(layer, bytes)).isLessThan(bytes));
  }

  /**
   * What the layers keep is nearly all that a forward pass keeps. Not all that lives at the step's
   * peak: that may lie in the last layer's backward pass, which frees as it goes.
   */
  @Test
  void theLayersAddUpToTheActivations() {
    EndOfForward end = new EndOfForward();
    StepBenchmark.run(spec(Recompute.NONE), end);
    long sum = end.layers.bytes().values().stream().mapToLong(Long::longValue).sum();
    assertThat(sum)
        .isLessThanOrEqualTo(end.activations)
        .isCloseTo(end.activations, Percentage.withPercentage(5));
  }

  /**
   * Notes the activations that live when the first gradients of a step are about to be computed.
   */
  private static final class EndOfForward implements FunctionObserver {
    private final LayerActivations layers = new LayerActivations(Device.META);
    private long activations;

    @Override
    public void begin(Phase phase, String name) {
      if (phase == Phase.INPUT_GRADIENTS && activations == 0) {
        activations =
            MemoryLedger.of(Device.META).liveByOwner().getOrDefault(MemoryOwner.ACTIVATIONS, 0L);
      }
      layers.begin(phase, name);
    }

    @Override
    public void end(Phase phase, String name, Work work) {
      layers.end(phase, name, work);
    }
  }

  private static Map<Integer, Long> bytes(Recompute recompute) {
    LayerActivations layers = new LayerActivations(Device.META);
    StepBenchmark.run(spec(recompute), layers);
    return layers.bytes();
  }

  private static StepBenchmark.Spec spec(Recompute recompute) {
    return new StepBenchmark.Spec(
        ModelSource.config("tiny-llama", Map.of()),
        Precision.BF16,
        recompute,
        Device.META,
        2,
        2,
        256,
        1,
        1,
        1,
        StateSettings.FULL,
        false,
        320);
  }
}
