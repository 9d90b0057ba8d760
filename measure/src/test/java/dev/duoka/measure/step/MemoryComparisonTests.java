package dev.duoka.measure.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.train.device.SingleDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MemoryComparisonTests {
  /** A CPU writes all scores of short sequences out, and only of those. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 64, NONE",
    "tiny-llama, 128, SELECTIVE",
    "tiny-llama, 128, FULL",
    "tiny-llama, 136, NONE",
    "tiny-v2, 72, NONE",
    "tiny-v3, 96, SELECTIVE",
  })
  void aStepOnTheCpuTakesWhatWasPredicted(String preset, int length, Recompute recompute) {
    MemoryComparison memory =
        MemoryComparison.run(
            new StepJob(
                Presets.named(preset),
                Precision.FP32,
                recompute,
                SingleDevice.parse("cpu"),
                2,
                1,
                length,
                1,
                StateForm.FULL,
                Offload.NONE,
                OffloadUpdate.DEVICE,
                1,
                false,
                320));
    assertThat(memory.error()).as("%s", memory.lines()).hasValue(0);
  }
}
