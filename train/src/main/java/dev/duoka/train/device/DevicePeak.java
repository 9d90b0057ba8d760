package dev.duoka.train.device;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What MFU is measured against: the dense peak of a GPU from its vendor's data sheet, or the rate
 * of a large matrix product measured now on a CPU.
 *
 * @param flopsPerSecond of one rank's device; NaN where it is unknown
 * @param source where the figure comes from
 */
public record DevicePeak(double flopsPerSecond, String source) {
  /** A card by the words of its name, which the driver may have further words around. */
  private record Card(String name, double teraFlops) {
    List<String> words() {
      return DevicePeak.words(name);
    }
  }

  /**
   * Dense 16-bit tensor rates with fp32 accumulation, TFLOP/s, from NVIDIA's data sheets and
   * architecture papers (as of 2026-11); half of the figures that are given "with sparsity". Cards
   * that are not here, laptops' among them, have no peak rather than that of a neighbour.
   */
  private static final List<Card> CARDS =
      List.of(
          new Card("B300", 2250), // HGX B300: 36 PFLOP/s sparse on 8 GPUs
          new Card("GB300", 2500), // GB300 NVL72 data sheet, 360 PFLOP/s sparse on 72
          new Card("B200", 2250), // HGX B200: 36 PFLOP/s sparse on 8 GPUs
          new Card("GB200", 2500), // GB200 NVL72 data sheet
          new Card("GH200", 989.4), // GH200 data sheet; the H100 SXM's chip
          new Card("H200", 989.4), // H200 data sheet, SXM
          new Card("H200 NVL", 835.5), // H200 data sheet, NVL
          new Card("H100", 989.4), // H100 data sheet, SXM
          new Card("H100 PCIe", 756), // H100 data sheet, PCIe
          new Card("H100 NVL", 835.5), // H100 data sheet, NVL
          new Card("H800", 989.4), // as H100 SXM; its links are slower
          new Card("H800 PCIe", 756), // as H100 PCIe
          new Card("H20", 148), // H20 product brief
          new Card("A100", 312), // A100 data sheet
          new Card("A800", 312), // as A100; its links are slower
          new Card("L40S", 362.05), // L40S data sheet
          new Card("L40", 181.05), // L40 data sheet
          new Card("L4", 121), // L4 data sheet, 242 sparse
          new Card("A40", 149.7), // A40 data sheet
          new Card("A10", 125), // A10 data sheet
          new Card("RTX 6000 Ada", 364.2), // AD102 paper, RTX 6000 Ada generation
          new Card("RTX A6000", 154.8), // GA102 paper, RTX A6000
          new Card("RTX 5090", 209.5), // RTX Blackwell paper, fp32 accumulation
          new Card("RTX 4090", 165.2), // Ada paper, fp32 accumulation
          new Card("RTX 3090", 71), // GA102 paper, fp32 accumulation
          new Card("V100 SXM2", 125), // V100 data sheet; fp16 only, it has no bf16
          new Card("V100 SXM3", 125), // as SXM2
          new Card("V100 PCIE", 112), // V100 data sheet; fp16 only
          new Card("T4", 65)); // T4 data sheet; fp16 only

  /** Words behind a card's name that make it another card, or a part of one. */
  private static final Set<String> OTHER_CARDS =
      Set.of("TI", "SUPER", "D", "LAPTOP", "MOBILE", "MAX", "MIG");

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
  public static DevicePeak ofGpu(String name) {
    List<String> words = words(name);
    Card best = null;
    for (Card card : CARDS) {
      boolean longer = best == null || card.words().size() > best.words().size();
      if (longer && names(words, card)) {
        best = card;
      }
    }
    if (best == null) {
      return new DevicePeak(Double.NaN, "nothing: no peak is known for '" + name + "'");
    }
    return new DevicePeak(
        best.teraFlops() * 1e12,
        "dense 16-bit tensor rate of " + best.name() + ", " + best.teraFlops() + " TFLOP/s");
  }

  private static boolean names(List<String> words, Card card) {
    int at = Collections.indexOfSubList(words, card.words());
    return at >= 0
        && words.stream().skip(at + card.words().size()).noneMatch(OTHER_CARDS::contains);
  }

  private static List<String> words(String name) {
    return List.of(name.toUpperCase(Locale.ROOT).split("[^A-Z0-9]+"));
  }

  /**
   * The rate of a product of two {@value #CPU_SIZE}² fp32 matrices with the threads of this rank:
   * the best of those that fit into {@value #CPU_MILLISECONDS} ms, since other programs only ever
   * make it slower.
   */
  public static DevicePeak ofCpu() {
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
