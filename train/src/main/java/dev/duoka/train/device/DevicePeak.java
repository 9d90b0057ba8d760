package dev.duoka.train.device;

import dev.duoka.comm.Communicator;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;

/**
 * What MFU is measured against: the dense peak of a GPU from its vendor's data sheet, or the rate
 * of a large matrix product measured on a CPU.
 *
 * @param flopsPerSecond of one rank's device; NaN where it is unknown
 * @param isMeasured on this machine; else it is a data sheet's
 * @param source where the figure comes from
 */
public record DevicePeak(double flopsPerSecond, boolean isMeasured, String source) {
  private static final int CPU_SIZE = 1024;
  private static final double FLOPS = 2.0 * CPU_SIZE * CPU_SIZE * CPU_SIZE;
  private static final int CPU_MILLISECONDS = 700;

  /** Of several ranks. */
  private static final int ROUNDS = 3;

  private static final int ROUND_MILLISECONDS = 300;

  /** So many products in a row that are no faster show that the fastest is among those before. */
  private static final int SETTLED = 5;

  /** What is faster by less is as fast. */
  private static final double NOTICEABLE = 1.01;

  /** What was measured in this process, by the number of threads. */
  private static final Map<Integer, DevicePeak> OF_CPU = new ConcurrentHashMap<>();

  /** The same of several ranks. */
  private static final Map<Ranks, DevicePeak> OF_RANKS = new ConcurrentHashMap<>();

  /** The peak of any device; on a CPU it is measured. */
  public static DevicePeak of(Device device) {
    if (device.isMeta()) {
      return new DevicePeak(Double.NaN, false, "nothing is computed on meta");
    }
    return device.isCuda() ? ofGpu(Gpus.require().get(device.index())) : ofCpu();
  }

  /**
   * As the other method, of each of several ranks: those of a CPU measure together, because what
   * one of them gets while the others rest is more than its share. Collective.
   */
  public static DevicePeak of(Device device, Communicator ranks) {
    return device.equals(Device.CPU) ? ofCpu(ranks) : of(device);
  }

  /**
   * The peak of a GPU by its name, of the catalogue's card; fp32 is measured against the same
   * 16-bit tensor rate, and said so. A card that is not in the catalogue has no peak rather than
   * that of a neighbour.
   */
  public static DevicePeak ofGpu(String name) {
    return Catalogue.builtIn()
        .cardOfDevice(name)
        .map(DevicePeak::of)
        .orElseGet(
            () ->
                new DevicePeak(Double.NaN, false, "nothing: no peak is known for '" + name + "'"));
  }

  private static DevicePeak of(Card card) {
    double peak = card.peak(card.halfPrecision());
    return new DevicePeak(
        peak,
        false,
        "dense 16-bit tensor rate of " + card.name() + ", " + peak / 1e12 + " TFLOP/s");
  }

  /**
   * The rate of a product of two {@value #CPU_SIZE}² fp32 matrices with the threads of this rank:
   * the best, since other programs only ever make it slower, of as many as it takes until {@value
   * #SETTLED} in a row are no faster, or of those that fit into {@value #CPU_MILLISECONDS} ms.
   * Measured once in a process for each number of threads; who asks meanwhile waits.
   */
  public static DevicePeak ofCpu() {
    return OF_CPU.computeIfAbsent(ComputeThread.threads(), _ -> measured());
  }

  /**
   * A rank's share of what all ranks of a CPU reach at once, in products as of the other method:
   * the best of a few rounds in which all multiply; once in a process. Collective.
   */
  public static DevicePeak ofCpu(Communicator ranks) {
    if (ranks.size() == 1) {
      return ofCpu();
    }
    Ranks key = new Ranks(ComputeThread.threads(), ranks.size());
    DevicePeak known = OF_RANKS.get(key);
    double[] knowing = {known == null ? 0 : 1};
    ranks.agreement().sum(knowing); // where one does not know, all measure
    if (known != null && knowing[0] == ranks.size()) {
      return known;
    }
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
      ranks.agreement().barrier();
      double[] rate = {rate(ROUND_MILLISECONDS)};
      ranks.agreement().sum(rate);
      best = Math.max(best, rate[0] / ranks.size());
    }
    DevicePeak peak = measured(best, ", all " + ranks.size() + " at once");
    OF_RANKS.put(key, peak);
    return peak;
  }

  /** Ranks of a CPU, by the threads of each. */
  private record Ranks(int threads, int count) {}

  private static DevicePeak measured() {
    try (Factors factors = new Factors()) {
      long end = System.nanoTime() + CPU_MILLISECONDS * 1_000_000L;
      return measured(
          best(() -> 1 / (double) factors.multiply(), () -> System.nanoTime() >= end) * FLOPS, "");
    }
  }

  /** Operations in a nanosecond, of all products that end within the time and one more. */
  private static double rate(int milliseconds) {
    try (Factors factors = new Factors()) {
      long products = 0;
      long nanoseconds = 0;
      while (nanoseconds < milliseconds * 1_000_000L) {
        nanoseconds += factors.multiply();
        products++;
      }
      return products * FLOPS / nanoseconds;
    }
  }

  private static DevicePeak measured(double rate, String how) {
    return new DevicePeak(
        rate * 1e9,
        true,
        String.format(
            Locale.ROOT,
            "fp32 product of %d² measured at %.0f GFLOP/s a rank%s",
            CPU_SIZE,
            rate,
            how));
  }

  /** Two matrices of the calling thread. */
  private static final class Factors implements AutoCloseable {
    private final Scope scope = Scope.open();
    private final Tensor a = Tensors.full(1, Dtype.FLOAT32, Device.CPU, CPU_SIZE, CPU_SIZE);
    private final Tensor b = Tensors.full(1, Dtype.FLOAT32, Device.CPU, CPU_SIZE, CPU_SIZE);

    /** Nanoseconds of a product. */
    long multiply() {
      long start = System.nanoTime();
      Products.mm(a, b).close();
      return System.nanoTime() - start;
    }

    @Override
    public void close() {
      scope.close();
    }
  }

  /** The best of the rates that are asked for until they have settled, or it is late. */
  static double best(DoubleSupplier rates, BooleanSupplier late) {
    double best = 0;
    int noFaster = 0;
    while (noFaster < SETTLED && !late.getAsBoolean()) {
      double rate = rates.getAsDouble();
      noFaster = rate > NOTICEABLE * best ? 0 : noFaster + 1;
      best = Math.max(best, rate);
    }
    return best;
  }
}
