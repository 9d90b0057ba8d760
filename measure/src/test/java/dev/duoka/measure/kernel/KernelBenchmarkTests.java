package dev.duoka.measure.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import java.util.List;
import org.junit.jupiter.api.Test;

final class KernelBenchmarkTests {
  private static final KernelBenchmark.Sizes SIZES =
      new KernelBenchmark.Sizes(384, 256, 640, 1024, 4, 64, 32, 16, 48, 8, 2, 128);

  /** On meta nothing is launched: names, shapes and work are those of a GPU. */
  @Test
  void everyKernelHasALineWithItsWork() {
    long before = MemoryLedger.of(Device.META).liveBytes();
    List<KernelBenchmark.Line> lines = KernelBenchmark.run(Device.META, Dtype.BFLOAT16, SIZES);
    assertThat(lines)
        .extracting(KernelBenchmark.Line::name)
        .doesNotHaveDuplicates()
        .contains(
            "product x · Wᵀ",
            "quantize rows and columns",
            "adapter gradients",
            "rms norm, sum of parts",
            "rotary, in place",
            "latent keys",
            "counts of choices for the balance loss",
            "weights in expert order",
            "experts' weight gradients, added in fp32",
            "embedding gradient, added in fp32",
            "adamw");
    assertThat(lines).allSatisfy(line -> assertThat(line.work().bytes()).isPositive());
    assertThat(MemoryLedger.of(Device.META).liveBytes()).isEqualTo(before);
  }

  @Test
  void theFloorIsTheLargerOfBothRates() {
    List<KernelBenchmark.Line> lines = KernelBenchmark.run(Device.META, Dtype.BFLOAT16, SIZES);
    KernelBenchmark.Line product = lines.getFirst();
    double flops = 2.0 * 384 * 256 * 640;
    double bytes = 2.0 * (384 * 256 + 256 * 640 + 384 * 640);
    assertThat(product.work().flops()).isEqualTo(flops);
    assertThat(product.work().bytes()).isEqualTo(bytes);
    assertThat(product.floorMilliseconds(new DeviceRates(1, 1e30, _ -> 0.25))).isEqualTo(250);
    assertThat(product.floorMilliseconds(new DeviceRates(1, 1e9, _ -> 0))).isEqualTo(bytes * 1e-6);
    KernelBenchmark.Line norm =
        lines.stream().filter(l -> l.name().equals("rms norm")).findAny().orElseThrow();
    assertThat(norm.floorMilliseconds(new DeviceRates(1, 1e9, _ -> 0.25)))
        .isEqualTo(norm.work().bytes() * 1e-6);
  }
}
