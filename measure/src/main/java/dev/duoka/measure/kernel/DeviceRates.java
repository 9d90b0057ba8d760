package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a device reaches at best, measured on it: the only source of floors. A part of a step needs
 * at least the larger of two times: that of its products, each measured alone in its own shape, and
 * that of its bytes at the rate of a large copy. The time of a whole step's floor by its real time
 * is its roofline utilisation.
 */
public final class DeviceRates {
  private record Calibrated(Device device, Dtype dtype) {}

  private static final Map<Calibrated, DeviceRates> OF_THIS_PROCESS = new ConcurrentHashMap<>();

  private final double flops;
  private final double bytes;
  private final ToDoubleFunction<Product> alone;
  private final Map<Product, Double> seconds = new ConcurrentHashMap<>();

  /**
   * Given rates.
   *
   * @param flops operations a second of products whose shape is not known
   * @param bytes bytes a second that a large copy reads and writes
   * @param alone the seconds of products whose shape is known; asked once for each unless it is to
   *     be measured {@link #again}
   */
  public DeviceRates(double flops, double bytes, ToDoubleFunction<Product> alone) {
    this.flops = flops;
    this.bytes = bytes;
    this.alone = alone;
  }

  /**
   * The rates of a device, measured once in a process: two now, which takes about a second, and
   * each product when its floor is first asked for. The device must be idle.
   *
   * @param dtype of the large square product that stands for shapes that are not known
   */
  public static DeviceRates calibrate(Device device, Dtype dtype) {
    return OF_THIS_PROCESS.computeIfAbsent(
        new Calibrated(device, dtype), _ -> measure(device, dtype));
  }

  private static DeviceRates measure(Device device, Dtype dtype) {
    boolean gpu = device.isCuda();
    long size = gpu ? 8192 : 1024;
    long elements = gpu ? 1L << 28 : 1L << 24;
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, dtype)) {
      Tensor a = timer.random(size, size);
      Tensor b = timer.random(size, size);
      double product = timer.milliseconds(() -> Products.mm(a, b)) * 1e-3;
      Tensor from = Tensors.zeros(Dtype.FLOAT32, device, elements);
      Tensor to = Tensors.zeros(Dtype.FLOAT32, device, elements);
      double copy = timer.milliseconds(() -> Copies.into(to, from)) * 1e-3;
      return new DeviceRates(
          2.0 * size * size * size / product,
          2.0 * 4 * elements / copy,
          new ProductTimer(device)::seconds);
    }
  }

  /** Operations a second of a large square product. */
  public double flops() {
    return flops;
  }

  /** Bytes a second that a large copy reads and writes. */
  public double bytes() {
    return bytes;
  }

  /** {@link #flops}, in million millions. */
  public double teraFlops() {
    return flops * 1e-12;
  }

  /** {@link #bytes}, in million millions. */
  public double terabytes() {
    return bytes * 1e-12;
  }

  /** Adds the two rates to a report. */
  public void describe(ObjectNode report) {
    report.put("copy_bytes_per_second", bytes);
    report.put("gemm_flops_per_second", flops);
  }

  /** The least time for some work, in seconds. */
  public double floor(Work work) {
    return Math.max(computing(work), work.bytes() / bytes);
  }

  /**
   * Measures the product of some work again, where its shape is known, and keeps the faster: for a
   * floor that came out above the time that the work was seen to take, because the machine was busy
   * with something else.
   */
  public void again(Work work) {
    Product product = work.product();
    if (product != null) {
      seconds.merge(product, alone.applyAsDouble(product), Math::min);
    }
  }

  private double computing(Work work) {
    Product product = work.product();
    return product == null
        ? work.flops() / flops
        : seconds.computeIfAbsent(product, alone::applyAsDouble);
  }
}
