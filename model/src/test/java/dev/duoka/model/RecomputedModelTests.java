package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Recompute changes no bit of a model's losses and gradients, and holds less memory. */
class RecomputedModelTests {
  static final List<String> PRESETS = TinyModel.PRESETS;
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @FieldSource("PRESETS")
  void changesNoBitAndHoldsLess(String preset) {
    try (TinyModel tiny = new TinyModel(preset, DEVICE)) {
      Map<String, double[]> expected = tiny.train(Recompute.NONE, 2, 40);
      long former = Long.MAX_VALUE;
      for (Recompute recompute : Recompute.values()) {
        MemoryLedger ledger = MemoryLedger.of(DEVICE);
        ledger.resetPeak();
        Map<String, double[]> actual = tiny.train(recompute, 2, 40);
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        actual.forEach(
            (name, values) ->
                assertThat(values).as(recompute + ", " + name).isEqualTo(expected.get(name)));
        assertThat(ledger.peakBytes()).as(recompute + " takes less").isLessThan(former);
        former = ledger.peakBytes();
      }
    }
  }
}
