package dev.duoka.tensor.testing;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.SplittableRandom;

/** Random tensors, the same for one seed on every device (shapes only on {@code meta}). */
public final class Inputs {
  private final SplittableRandom random;
  private final Dtype dtype;
  private final Device device;
  private final Runnable afterEach;

  /** Inputs whose floating-point tensors have the dtype {@code dtype}. */
  public Inputs(long seed, Dtype dtype, Device device) {
    this(seed, dtype, device, () -> {});
  }

  /** As the other constructor; {@code afterEach} runs after each tensor that was made. */
  public Inputs(long seed, Dtype dtype, Device device, Runnable afterEach) {
    this.random = new SplittableRandom(seed);
    this.dtype = dtype;
    this.device = device;
    this.afterEach = afterEach;
  }

  /** The dtype of the floating-point tensors. */
  public Dtype dtype() {
    return dtype;
  }

  /** Where the tensors are. */
  public Device device() {
    return device;
  }

  /** Standard normal numbers. */
  public Tensor normal(long... shape) {
    double[] values = new double[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    return of(values, shape);
  }

  /** Normal numbers rounded to multiples of 1/16, which are exact in every dtype. */
  public Tensor coarse(long... shape) {
    double[] values = new double[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.rint(16 * Math.clamp(random.nextGaussian(), -4, 4)) / 16;
    }
    return of(values, shape);
  }

  /** Numbers between 0.5 and 2. */
  public Tensor positive(long... shape) {
    double[] values = new double[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextDouble(0.5, 2);
    }
    return of(values, shape);
  }

  /** All different multiples of 1/8, in random order: no ties for sorting and choosing. */
  public Tensor distinct(long... shape) {
    double[] values = new double[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      int other = random.nextInt(i + 1);
      values[i] = values[other];
      values[other] = (i - values.length / 2) / 8.0;
    }
    return of(values, shape);
  }

  /** Whole numbers from 0 to {@code bound − 1}, int64. */
  public Tensor indices(long bound, long... shape) {
    long[] values = new long[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextLong(bound);
    }
    return made(HostCopy.fromLongs(values, device, shape));
  }

  /** These numbers, in the dtype of the floating-point tensors. */
  public Tensor of(double[] values, long... shape) {
    return made(HostCopy.fromDoubles(values, dtype, device, shape));
  }

  private Tensor made(Tensor tensor) {
    afterEach.run();
    return tensor;
  }

  /** The next random whole number from 0 to {@code bound − 1}. */
  public int next(int bound) {
    return random.nextInt(bound);
  }

  private static int elements(long... shape) {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    return Math.toIntExact(product);
  }
}
