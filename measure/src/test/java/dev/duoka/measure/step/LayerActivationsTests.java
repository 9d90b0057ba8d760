package dev.duoka.measure.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
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
   * What the layers keep is nearly all that a forward pass keeps; at the peak, which lies in the
   * backward pass, the last layer has freed some of its part.
   */
  @Test
  void theLayersAddUpToTheActivations() {
    LayerActivations layers = new LayerActivations(Device.META);
    StepBenchmark.Result result = StepBenchmark.run(spec(Recompute.NONE), layers);
    long all = result.peakByOwner().getOrDefault(MemoryOwner.ACTIVATIONS, 0L);
    long sum = layers.bytes().values().stream().mapToLong(Long::longValue).sum();
    assertThat(sum).isCloseTo(all, Percentage.withPercentage(8));
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
        false);
  }
}
