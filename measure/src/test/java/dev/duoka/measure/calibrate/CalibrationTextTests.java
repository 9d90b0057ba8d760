package dev.duoka.measure.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.hardware.AttentionSample;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.ProductSample;
import dev.duoka.hardware.StreamSample;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CalibrationTextTests {
  @Test
  void aCpuHasNoCardAndItsRatesAreSeen() {
    assertThat(text(List.of()))
        .contains("products, GFLOP/s", "attention, GFLOP/s")
        .containsPattern("fp32  64 x 64 x 64 +5.24 +5.24 +5.24\\n")
        .containsPattern("4 heads of 32/32, 64 tokens +0.105 +0.131\\n")
        .doesNotContain("card", "TFLOP", " 0.0 ", " 0.00 ");
  }

  @Test
  void cardsHaveLinksToTheirHost() {
    assertThat(text(List.of("NVIDIA H200")))
        .contains("products, TFLOP/s", "attention, TFLOP/s")
        .contains("host to card 21.8 GB/s, back 20.0 GB/s, each way at once 11.0 GB/s")
        .doesNotContain("GFLOP");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0.00123456, 0.00123",
    "0.5, 0.500",
    "9.876, 9.88",
    "12.34, 12.3",
    "123.4, 123",
    "98765.4, 98765"
  })
  void numbersShowThreeDigits(double value, String text) {
    assertThat(CalibrationText.number(value)).isEqualTo(text);
  }

  private static String text(List<String> cards) {
    MachineProfile profile =
        new MachineProfile(
            "2026-11-29T00:00:00Z",
            cards,
            Map.of(),
            3,
            2e-6,
            List.of(new ProductSample(NumberFormat.FP32, 0, 64, 64, 64, 1e-4, 1e-4, 1e-4)),
            List.of(new AttentionSample(4, 64, 32, 32, 1e-2, 2e-2)),
            List.of(new StreamSample("copy", 0, 2e6)),
            List.of(),
            Optional.of(new HostSample(21.8e9, 20e9, OptionalDouble.of(11e9), 3.2e-10, 1e9, 2e9)));
    StringWriter out = new StringWriter();
    CalibrationText.print(profile, new PrintWriter(out, true));
    return out.toString();
  }
}
