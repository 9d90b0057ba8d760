package dev.duoka.train.loop;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.util.Locale;
import java.util.Map;

/**
 * What MFU is measured against: the dense peak of a GPU from its vendor's data sheet, or the rate
 * of a large matrix product measured now on a CPU.
 *
 * @param flopsPerSecond of one rank's device; NaN where it is unknown
 * @param source where the figure comes from
 */
public record DevicePeak(double flopsPerSecond, String source) {
  /**
   * Dense bf16 and fp16 tensor rates with fp32 accumulation, TFLOP/s, from NVIDIA's data sheets and
   * architecture papers; the first name that the card's name contains counts.
   */
  private static final Map<String, Double> TENSOR_TFLOPS =
      Map.copyOf(
          Map.ofEntries(
              Map.entry("H200", 989.4),
              Map.entry("H100 PCIe", 756.0),
              Map.entry("H100 NVL", 835.5),
              Map.entry("H100", 989.4),
              Map.entry("H800", 989.4),
              Map.entry("H20", 148.0),
              Map.entry("A100", 312.0),
              Map.entry("A800", 312.0),
              Map.entry("L40S", 362.05),
              Map.entry("L40", 181.05),
              Map.entry("A40", 149.7),
              Map.entry("A10", 125.0),
              Map.entry("RTX 4090", 165.2),
              Map.entry("RTX 3090", 71.0)));

  private static final int CPU_SIZE = 1024;
  private static final int CPU_MILLISECONDS = 700;

  /** The peak of any device; on a CPU it is measured now. */
  public static DevicePeak of(Device device) {
    if (device.isMeta()) {
      return new DevicePeak(Double.NaN, "nothing is computed on meta");
    }
    return device.isCuda() ? ofGpu(Gpus.require().get(device.index())) : ofCpu();
  }

  /** The peak of a GPU by its name; fp32 is measured against the same tensor rate, and said so. */
  static DevicePeak ofGpu(String name) {
    return TENSOR_TFLOPS.entrySet().stream()
        .sorted((a, b) -> Integer.compare(b.getKey().length(), a.getKey().length()))
        .filter(
            entry ->
                name.toUpperCase(Locale.ROOT).contains(entry.getKey().toUpperCase(Locale.ROOT)))
        .findFirst()
        .map(
            entry ->
                new DevicePeak(
                    entry.getValue() * 1e12,
                    "dense 16-bit tensor rate of "
                        + entry.getKey()
                        + ", "
                        + entry.getValue()
                        + " TFLOP/s"))
        .orElseGet(() -> new DevicePeak(Double.NaN, "no peak is known for '" + name + "'"));
  }

  /**
   * The rate of a product of two {@value #CPU_SIZE}² fp32 matrices with the threads of this rank:
   * the best of those that fit into {@value #CPU_MILLISECONDS} ms, since other programs only ever
   * make it slower.
   */
  static DevicePeak ofCpu() {
    double best = 0;
    try (Scope _ = Scope.open()) {
      Tensor a = Tensors.full(1, Dtype.FLOAT32, Device.CPU, CPU_SIZE, CPU_SIZE);
      Tensor b = Tensors.full(1, Dtype.FLOAT32, Device.CPU, CPU_SIZE, CPU_SIZE);
      long end = System.nanoTime() + CPU_MILLISECONDS * 1_000_000L;
      while (System.nanoTime() < end) {
        long start = System.nanoTime();
        Products.mm(a, b).close();
        best = Math.max(best, 2.0 * CPU_SIZE * CPU_SIZE * CPU_SIZE / (System.nanoTime() - start));
      }
    }
    return new DevicePeak(
        best * 1e9,
        String.format(
            Locale.ROOT, "fp32 product of %d² measured at %.0f GFLOP/s a rank", CPU_SIZE, best));
  }
}
