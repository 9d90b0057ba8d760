package dev.duoka.measure.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.StreamSample;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.device.SingleDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CalibrationTests {
  private static final CalibrationGrid SMALL =
      new CalibrationGrid(
          Dtype.FLOAT32,
          List.of(16L),
          List.of(16L, 64L),
          List.of(16L),
          List.of(2),
          List.of(8L),
          List.of(16L),
          List.of(2L),
          List.of(16L),
          List.of(List.of(16L, 16L)),
          List.of(Presets.named("tiny-v2")),
          List.of(new CalibrationGrid.StepSize(1, 16, 1)),
          CalibrationGrid.of(SingleDevice.CPU.device()).kernels(),
          List.of(1L << 12),
          1 << 16,
          1 << 20);

  @TempDir private Path folder;

  @Test
  void everyPartOfAMachineIsMeasuredAndReadBackAsItWasWritten() throws Exception {
    List<String> parts = new ArrayList<>();
    MachineProfile measured =
        Calibration.run(
            SingleDevice.CPU,
            SMALL,
            "2026-11-29T00:00:00Z",
            List.of(),
            Map.of("libtorch", "2.11"),
            folder,
            (part, done, total) -> {
              assertThat(done).isBetween(0L, total);
              parts.add(part);
            });
    assertThat(parts)
        .contains("products", "grouped products", "attention", "what moves bytes", "exchange")
        .contains("host and disk");
    assertThat(measured.products(NumberFormat.FP32, false)).isPresent();
    assertThat(measured.products(NumberFormat.FP32, true)).isPresent();
    assertThat(measured.products(NumberFormat.FP8, false)).isEmpty();
    assertThat(measured.attentionTable()).isPresent();
    assertThat(measured.stream(StreamSample.COPY)).isPresent();
    assertThat(measured.stream(StreamSample.name("rms norm", "FORWARD", ""))).isPresent();
    assertThat(measured.stream(StreamSample.name("adamw", "UPDATE", ""))).isPresent();
    assertThat(measured.stream(StreamSample.name("dispatch", "INPUT_GRADIENTS", "selective")))
        .isPresent();
    assertThat(measured.exchanges())
        .extracting(it -> it.name())
        .contains("all-reduce", "all-to-all", "send-receive");
    assertThat(
            measured
                .products(NumberFormat.FP32, false)
                .orElseThrow()
                .seconds(Pass.FORWARD, 16, 32, 16))
        .isPositive();
    Path file = folder.resolve("some/profile.json");
    MachineProfileFile.write(file, measured);
    assertThat(MachineProfileFile.read(file)).isEqualTo(measured);
    assertThat(Files.list(folder)).as("the disk's file is gone").containsExactly(file.getParent());
  }
}
