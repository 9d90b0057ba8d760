package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import java.util.SplittableRandom;

/**
 * What a device reaches at best, measured now: the rates that floors are computed with.
 *
 * @param flops floating-point operations a second of a large square matrix product
 * @param bytes bytes a second that a large copy reads and writes
 */
public record DeviceRates(double flops, double bytes) {
  private static final int REPEATS = 20;

  /** Measures for about a second; waits for the device. */
  public static DeviceRates measure(Device device, Dtype dtype) {
    boolean gpu = device.isCuda();
    long size = gpu ? 8192 : 1024;
    long elements = gpu ? 1L << 28 : 1L << 24;
    try (Scope _ = Scope.open();
        DeviceClock clock = new DeviceClock(device)) {
      Tensor a = random(dtype, device, size);
      Tensor b = random(dtype, device, size);
      double product = best(clock, () -> Products.mm(a, b).close());
      Tensor from = Tensors.zeros(Dtype.FLOAT32, device, elements);
      Tensor to = Tensors.zeros(Dtype.FLOAT32, device, elements);
      double copy = best(clock, () -> Copies.into(to, from));
      double flops = 2.0 * size * size * size;
      return new DeviceRates(flops / product, 2.0 * 4 * elements / copy);
    }
  }

  /** Operations a second, in million millions. */
  public double teraFlops() {
    return flops * 1e-12;
  }

  /** Bytes a second, in million millions. */
  public double terabytes() {
    return bytes * 1e-12;
  }

  /** The least time for some work, in seconds. */
  public double floor(Work work) {
    return Math.max(work.flops() / flops, work.bytes() / bytes);
  }

  /**
   * Random numbers: equal ones take less power, and a card then runs faster than it ever trains.
   */
  private static Tensor random(Dtype dtype, Device device, long size) {
    SplittableRandom random = new SplittableRandom(size);
    float[] values = new float[Math.toIntExact(size * size)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextDouble() - 0.5);
    }
    return HostCopy.fromFloats(values, dtype, device, size, size);
  }

  private static double best(DeviceClock clock, Runnable body) {
    clock.reset();
    for (int i = 0; i <= REPEATS; i++) {
      clock.mark();
      if (i < REPEATS) {
        body.run();
      }
    }
    double best = Double.POSITIVE_INFINITY;
    for (int i = 1; i <= REPEATS; i++) {
      best = Math.min(best, clock.milliseconds(i) - clock.milliseconds(i - 1));
    }
    return best * 1e-3;
  }
}
