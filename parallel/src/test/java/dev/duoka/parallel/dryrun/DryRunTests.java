package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A training step on {@code meta} books, by owner, the bytes that the same step really takes. */
class DryRunTests {
  /** Longer than what attention writes out: a dry run stands for the fused kernel. */
  private static final int LENGTH = 136;

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, FLOAT32, NONE",
    "tiny-llama, FLOAT32, SELECTIVE",
    "tiny-llama, FLOAT32, FULL",
    "tiny-moe, FLOAT32, NONE",
    "tiny-v2, FLOAT32, NONE",
    "tiny-v3, FLOAT32, NONE",
    "tiny-v3, FLOAT32, FULL"
  })
  void agreesWithARealStep(String preset, Dtype dtype, Recompute recompute) {
    assertThat(peak(preset, dtype, recompute, Device.META))
        .isEqualTo(peak(preset, dtype, recompute, Device.CPU));
  }

  /** Whatever the router chooses: memory is planned once and then neither grows nor varies. */
  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-moe", "tiny-v2", "tiny-v3"})
  void everyStepTakesTheSameBytes(String preset) {
    MemoryLedger ledger = MemoryLedger.of(Device.CPU);
    try (TinyModel tiny = new TinyModel(preset, Dtype.FLOAT32, Device.CPU);
        ShardedOptimizer optimizer =
            new ShardedOptimizer(
                tiny.model().parameters(),
                new SingleRank(),
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                0)) {
      List<Map<MemoryOwner, Long>> peaks = new ArrayList<>();
      for (int step = 0; step < 4; step++) {
        ledger.resetPeak();
        tiny.trainOnly(Recompute.SELECTIVE, 2, LENGTH);
        optimizer.step(0.1, 1); // far, so that routing changes
        peaks.add(ledger.peakByOwner());
      }
      assertThat(peaks.subList(2, 4)).containsOnly(peaks.get(1));
    }
  }

  /** In 16 bits the dry run is one of a GPU, with our kernels and cuDNN. */
  @ParameterizedTest
  @Tag("cuda")
  @CsvSource({
    "tiny-llama, BFLOAT16, NONE",
    "tiny-llama, FLOAT16, SELECTIVE",
    "tiny-llama, BFLOAT16, FULL",
    "tiny-moe, BFLOAT16, SELECTIVE",
    "tiny-v2, BFLOAT16, NONE",
    "tiny-v3, BFLOAT16, NONE"
  })
  void agreesWithARealStepOnAGpu(String preset, Dtype dtype, Recompute recompute) {
    // Not to the byte: cuDNN returns two numbers of random state with each attention.
    long predicted = sum(peak(preset, dtype, recompute, Device.META));
    long taken = sum(peak(preset, dtype, recompute, TestDevice.cuda()));
    assertThat((double) predicted).isCloseTo((double) taken, Percentage.withPercentage(2));
  }

  private static long sum(Map<MemoryOwner, Long> owners) {
    return owners.values().stream().mapToLong(Long::longValue).sum();
  }

  private static Map<MemoryOwner, Long> peak(
      String preset, Dtype dtype, Recompute recompute, Device device) {
    MemoryLedger ledger = MemoryLedger.of(device);
    try (TinyModel tiny = new TinyModel(preset, dtype, device);
        ShardedOptimizer optimizer =
            new ShardedOptimizer(
                tiny.model().parameters(),
                new SingleRank(),
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                0)) {
      // Twice: the first step also makes what lasts, the experts' load counts for example.
      tiny.trainOnly(recompute, 2, LENGTH);
      optimizer.step(1e-3, 1);
      ledger.resetPeak();
      tiny.trainOnly(recompute, 2, LENGTH);
      optimizer.step(1e-3, 1);
      return ledger.peakByOwner();
    }
  }
}
