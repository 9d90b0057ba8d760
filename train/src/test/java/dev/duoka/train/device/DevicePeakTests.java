package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.local.LocalRanks;
import dev.duoka.tensor.Device;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DevicePeakTests {
  @ParameterizedTest
  @CsvSource({
    "NVIDIA H100 80GB HBM3, 989.4",
    "NVIDIA H100 PCIe, 756",
    "NVIDIA H100 NVL, 835.5",
    "NVIDIA H200, 989.4",
    "NVIDIA B200, 2250",
    "NVIDIA B300 SXM6 AC, 2250",
    "NVIDIA A100-SXM4-80GB, 312",
    "NVIDIA A100-PCIE-40GB, 312",
    "NVIDIA A40, 149.7",
    "NVIDIA A10G, 70",
    "NVIDIA H20-3e, 148",
    "NVIDIA GH200 480GB, 989.4",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition, 500",
    "NVIDIA L4, 121",
    "NVIDIA L40S, 362.05",
    "NVIDIA RTX A6000, 154.8",
    "NVIDIA RTX 6000 Ada Generation, 364.2",
    "NVIDIA GeForce RTX 5090, 209.5",
    "NVIDIA GeForce RTX 4090, 165.2",
    "Tesla V100-SXM2-16GB, 125",
    "Tesla V100-PCIE-32GB, 112",
    "Tesla T4, 65",
  })
  void knowsCardsByTheirDriverNames(String name, double teraFlops) {
    assertThat(DevicePeak.ofGpu(name).flopsPerSecond()).isEqualTo(teraFlops * 1e12);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "NVIDIA RTX A4000",
        "NVIDIA RTX A1000",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 4090 D",
        "NVIDIA GeForce RTX 3090 Ti",
        "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "Quadro RTX 6000",
      })
  void givesAnUnknownCardNoNeighboursPeak(String name) {
    DevicePeak peak = DevicePeak.ofGpu(name);
    assertThat(peak.flopsPerSecond()).isNaN();
    assertThat(peak.source()).isEqualTo("nothing: no peak is known for '" + name + "'");
  }

  /** All have the same, which is what the machine gives them together. */
  @Test
  void ranksOfACpuMeasureItTogether() {
    List<DevicePeak> peaks = new CopyOnWriteArrayList<>();
    LocalRanks.run(3, ranks -> peaks.add(DevicePeak.of(Device.CPU, ranks)));
    assertThat(peaks).hasSize(3);
    assertThat(Set.copyOf(peaks)).hasSize(1);
    assertThat(peaks.getFirst().flopsPerSecond()).isPositive();
    assertThat(peaks.getFirst().isMeasured()).isTrue();
    assertThat(peaks.getFirst().source()).endsWith(" GFLOP/s a rank, all 3 at once");
    LocalRanks.run(
        1, ranks -> assertThat(DevicePeak.of(Device.CPU, ranks)).isEqualTo(DevicePeak.ofCpu()));
  }

  @Test
  void namesTheCardThatItTookTheFigureOf() {
    assertThat(DevicePeak.ofGpu("NVIDIA H100 PCIe").source())
        .isEqualTo("dense 16-bit tensor rate of H100-80G-PCIe, 756.0 TFLOP/s");
  }

  @ParameterizedTest
  @CsvSource({
    "'3 9 8 9 7 9 8 20', 100, 9",
    "'3 9 8 8 8 8 9.5 8 8 8 8 8 20', 100, 9.5",
    "'9 9.01 9.02 9.03 9.04 9.05 20', 100, 9.05",
    "'1 2 3 4 5 6 7 8 9', 8, 8",
  })
  void theRateOfACpuIsTheBestUntilFiveInARowAreNoFaster(String given, int late, double best) {
    Iterator<Double> rates = Arrays.stream(given.split(" ")).map(Double::valueOf).iterator();
    AtomicInteger asked = new AtomicInteger();
    assertThat(DevicePeak.best(rates::next, () -> asked.getAndIncrement() == late)).isEqualTo(best);
  }
}
