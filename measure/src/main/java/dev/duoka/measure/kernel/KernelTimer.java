package dev.duoka.measure.kernel;

import dev.duoka.base.Median;
import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/** Times one kernel after another on one device, and makes their random inputs. */
final class KernelTimer implements AutoCloseable {
  private static final int LEAST_CALLS = 3;
  private static final int MOST_CALLS = 100;

  /** So long that a GPU's clock has settled under the load. */
  private static final double CALLS_MS = 100;

  /** Different random numbers in an input; a larger one repeats them. */
  private static final int RANDOM_NUMBERS = 1 << 20;

  private final Device device;
  private final Dtype dtype;
  private final DeviceClock clock;
  private final SplittableRandom random = new SplittableRandom(RANDOM_NUMBERS);
  private final List<KernelBenchmark.Line> lines = new ArrayList<>();

  /** A timer for kernels of a model that computes in {@code dtype}. */
  KernelTimer(Device device, Dtype dtype) {
    this.device = device;
    this.dtype = dtype;
    clock = new DeviceClock(device);
  }

  Device device() {
    return device;
  }

  Dtype dtype() {
    return dtype;
  }

  List<KernelBenchmark.Line> lines() {
    return List.copyOf(lines);
  }

  /**
   * Times a kernel whose floor is what it moves.
   *
   * @param bytes read once and written once
   */
  void time(String name, double bytes, Runnable body) {
    time(name, new Work(0, bytes), body);
  }

  /** Times a kernel against its floor. */
  void time(String name, Work work, Runnable body) {
    lines.add(new KernelBenchmark.Line(name, work, milliseconds(body)));
  }

  /**
   * The time of a call on the device ({@link #one}), of as many as fit into {@value #CALLS_MS} ms,
   * {@value #LEAST_CALLS} to {@value #MOST_CALLS}, after one that compiles.
   */
  double milliseconds(Runnable body) {
    call(body);
    List<Double> times = times(body, 1);
    long more = Math.round(CALLS_MS / Math.max(times.getFirst(), CALLS_MS / MOST_CALLS));
    return one(times(body, Math.max(LEAST_CALLS, (int) more)));
  }

  /**
   * The one of several times that stands for them. On a GPU the median: the first calls of a burst
   * are faster than the clock under load allows. Elsewhere the least: other programs take time away
   * from a CPU, and none gives any.
   */
  double one(List<Double> times) {
    return device.isCuda() ? Median.of(times) : Collections.min(times);
  }

  private List<Double> times(Runnable body, int calls) {
    clock.reset();
    for (int i = 0; i <= calls; i++) {
      clock.mark();
      if (i < calls) {
        call(body);
      }
    }
    List<Double> times = new ArrayList<>();
    for (int i = 1; i <= calls; i++) {
      times.add(clock.milliseconds(i) - clock.milliseconds(i - 1));
    }
    return times;
  }

  private static void call(Runnable body) {
    try (Scope _ = Scope.open()) {
      body.run();
    }
  }

  /** A kernel that this card, or these sizes, cannot run. */
  void leaveOut(String name, Work work) {
    lines.add(new KernelBenchmark.Line(name, work, Double.NaN));
  }

  /**
   * Numbers between −0.5 and 0.5 in the model's dtype. Equal ones would take less power, and a card
   * then runs faster than it ever trains.
   */
  Tensor random(long... shape) {
    return random(dtype, shape);
  }

  /** As {@link #random(long...)}, in another dtype. */
  Tensor random(Dtype dtype, long... shape) {
    Tensor result = Tensors.empty(dtype, device, shape);
    try (Scope _ = Scope.open()) {
      Tensor flat = Views.reshape(result, -1);
      long filled = Math.min(flat.elements(), RANDOM_NUMBERS);
      float[] values = new float[Math.toIntExact(filled)];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextDouble() - 0.5);
      }
      Copies.into(Views.slice(flat, 0, filled), HostCopy.fromFloats(values, dtype, device, filled));
      while (filled < flat.elements()) {
        long more = Math.min(filled, flat.elements() - filled);
        Copies.into(Views.slice(flat, filled, more), Views.slice(flat, 0, more));
        filled += more;
      }
    }
    return result;
  }

  /** Whole numbers from 0 to {@code bound − 1}. */
  long[] indices(long bound, long count) {
    return random.longs(count, 0, bound).toArray();
  }

  @Override
  public void close() {
    clock.close();
  }
}
