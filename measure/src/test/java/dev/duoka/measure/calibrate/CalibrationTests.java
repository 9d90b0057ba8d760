package dev.duoka.measure.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.StreamSample;
import dev.duoka.measure.comm.Collective;
import dev.duoka.measure.comm.CollectiveBenchmark;
import dev.duoka.measure.comm.CollectiveLine;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.device.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  void aWrongExchangeEndsTheMeasureAndIsNamed() {
    CollectiveLine right =
        new CollectiveLine(
            Transport.COPIES,
            Collective.BROADCAST,
            4,
            1 << 20,
            List.of(1e-3),
            List.of(1e-4),
            Optional.empty());
    CollectiveLine wrong =
        new CollectiveLine(
            Transport.COPIES,
            Collective.ALL_GATHER,
            4,
            8 << 20,
            List.of(),
            List.of(),
            Optional.of("rank 2: element 3 is 9.0, not 1"));
    assertThat(Calibration.samples(report(right))).hasSize(1);
    assertThatThrownBy(() -> Calibration.samples(report(right, wrong)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("4 ranks on cuda:0, cuda:1, cuda:2, cuda:3")
        .hasMessageContaining("all-gather of 8.00 MiB by copies, rank 2: element 3 is 9.0, not 1")
        .extracting(e -> ((DuokaException) e).remedy())
        .asString()
        .contains("duoka doctor", "duoka bench comm --ranks 4");
  }

  private static CollectiveBenchmark.Report report(CollectiveLine... lines) {
    return new CollectiveBenchmark.Report(
        List.of("cuda:0", "cuda:1", "cuda:2", "cuda:3"),
        List.of(Transport.COPIES),
        Map.of(),
        List.of(lines));
  }

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
