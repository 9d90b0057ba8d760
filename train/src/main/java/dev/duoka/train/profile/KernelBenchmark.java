package dev.duoka.train.profile;

import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.kernel.CrossEntropyKernel;
import dev.duoka.tensor.kernel.NormKernels;
import dev.duoka.tensor.kernel.RouterKernels;
import dev.duoka.tensor.kernel.RoutingKernels;
import dev.duoka.tensor.kernel.SwiGluKernels;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Times our own CUDA kernels one by one, against the bytes that they must move. */
public final class KernelBenchmark {
  private static final int REPEATS = 20;

  /** The mixture of experts of DeepSeek-V2-Lite. */
  private static final int EXPERTS = 64;

  private static final int EXPERTS_PER_TOKEN = 6;

  /**
   * One kernel.
   *
   * @param bytes read once and written once
   * @param milliseconds the median of {@value #REPEATS} calls
   */
  public record Line(String name, double bytes, double milliseconds) {
    /** The share of the floor in the measured time. */
    public double share(DeviceRates rates) {
      return rates.floor(new Work(0, bytes)) * 1e3 / milliseconds;
    }
  }

  private final DeviceClock clock;
  private final Device device;
  private final Dtype dtype;
  private final List<Line> lines = new ArrayList<>();

  private KernelBenchmark(Device device, Dtype dtype, DeviceClock clock) {
    this.device = device;
    this.dtype = dtype;
    this.clock = clock;
  }

  /**
   * Runs all kernels.
   *
   * @param rows tokens
   * @param hidden the width of norms and of the rows that go to experts
   * @param intermediate the width of SwiGLU
   */
  public static List<Line> run(
      Device device, Dtype dtype, long rows, long hidden, long intermediate, long vocabulary) {
    try (Scope _ = Scope.open();
        DeviceClock clock = new DeviceClock(device)) {
      KernelBenchmark benchmark = new KernelBenchmark(device, dtype, clock);
      benchmark.norms(rows, hidden);
      benchmark.swiGlu(rows, intermediate);
      benchmark.router(rows);
      benchmark.routing(Math.min(rows, 8192), hidden);
      benchmark.crossEntropy(Math.min(rows, 4096), vocabulary);
      benchmark.adamw(1L << 28);
      return List.copyOf(benchmark.lines);
    }
  }

  private void norms(long rows, long width) {
    try (Scope _ = Scope.open()) {
      Tensor x = filled(rows, width);
      Tensor delta = filled(rows, width);
      Tensor weight = filled(width);
      double one = x.bytes();
      time("rms norm", 2 * one, () -> NormKernels.forward(x, null, weight, 1e-6));
      time("residual + rms norm", 4 * one, () -> NormKernels.forward(x, delta, weight, 1e-6));
      Tensor inverse = NormKernels.forward(x, null, weight, 1e-6)[1];
      time(
          "rms norm backward",
          3 * one,
          () -> NormKernels.backward(delta, x, weight, inverse, null, null));
      time(
          "rms norm backward + residual",
          4 * one,
          () -> NormKernels.backward(delta, x, weight, inverse, delta, null));
    }
  }

  private void swiGlu(long rows, long width) {
    try (Scope _ = Scope.open()) {
      Tensor joint = filled(rows, 2 * width);
      Tensor dy = filled(rows, width);
      double one = dy.bytes();
      time("swiglu", 3 * one, () -> SwiGluKernels.forward(joint, null));
      time("swiglu backward", 5 * one, () -> SwiGluKernels.backward(joint, dy, null, null));
    }
  }

  private void router(long rows) {
    RouterKernels.Rule rule =
        new RouterKernels.Rule(EXPERTS_PER_TOKEN, false, 1, 1, false, true, 1);
    try (Scope _ = Scope.open()) {
      double[] random = new SplittableRandom(EXPERTS).doubles(rows * EXPERTS).toArray();
      Tensor logits = HostCopy.fromDoubles(random, Dtype.FLOAT32, device, rows, EXPERTS);
      double choices = 12.0 * rows * EXPERTS_PER_TOKEN; // a weight and an expert
      time(
          "choice of experts",
          2.0 * logits.bytes() + choices,
          () -> RouterKernels.choose(logits, null, rule));
      Tensor[] chosen = RouterKernels.choose(logits, null, rule);
      time(
          "choice of experts backward",
          2.0 * logits.bytes() + choices,
          () ->
              RouterKernels.backward(
                  logits, chosen[1], chosen[0], null, rule, dtype == Dtype.BFLOAT16));
    }
  }

  private void routing(long rows, long width) {
    long count = rows * EXPERTS_PER_TOKEN;
    try (Scope _ = Scope.open()) {
      long[] random = new SplittableRandom(count).longs(count, 0, EXPERTS).toArray();
      Tensor chosen = HostCopy.fromLongs(random, device, count);
      time(
          "sort by expert",
          4.0 * chosen.bytes(),
          () -> RoutingKernels.sort(chosen, EXPERTS, EXPERTS_PER_TOKEN, dtype));
      Tensor position = RoutingKernels.sort(chosen, EXPERTS, EXPERTS_PER_TOKEN, dtype).position();
      Tensor x = filled(rows, width);
      double bytes = (1.0 + EXPERTS_PER_TOKEN) * x.bytes() + position.bytes();
      time("spread", bytes, () -> RoutingKernels.spread(x, position, EXPERTS_PER_TOKEN));
      Tensor sorted = RoutingKernels.spread(x, position, EXPERTS_PER_TOKEN);
      time("gather", bytes, () -> RoutingKernels.gather(sorted, position, EXPERTS_PER_TOKEN, null));
      time(
          "gather + addend",
          bytes + x.bytes(),
          () -> RoutingKernels.gather(sorted, position, EXPERTS_PER_TOKEN, x));
    }
  }

  private void crossEntropy(long rows, long vocabulary) {
    try (Scope _ = Scope.open()) {
      Tensor logits = filled(rows, vocabulary);
      Tensor targets = Tensors.zeros(Dtype.INT64, device, rows);
      time(
          "cross-entropy with gradient",
          2.0 * logits.bytes(),
          () -> CrossEntropyKernel.run(logits, targets, 1, true));
    }
  }

  private void adamw(long elements) {
    try (Scope _ = Scope.open()) {
      Tensor values = filled(elements);
      Tensor master = Tensors.full(0.01, Dtype.FLOAT32, device, elements);
      Tensor gradients = Tensors.full(0.01, Dtype.FLOAT32, device, elements);
      Tensor first = Tensors.zeros(Dtype.FLOAT32, device, elements);
      Tensor second = Tensors.zeros(Dtype.FLOAT32, device, elements);
      Tensor norm = AdamWKernel.squaredNorm(gradients);
      time("squared norm", 4.0 * elements, () -> AdamWKernel.squaredNorm(gradients));
      AdamWKernel.Update update = new AdamWKernel.Update(1e-4, 0.9, 0.95, 1e-8, 0.1, 1, 1, 1);
      double perElement = 28 + values.dtype().bytes();
      time(
          "adamw",
          perElement * elements,
          () -> AdamWKernel.step(master, values, gradients, first, second, norm, update));
    }
  }

  private Tensor filled(long... shape) {
    return Tensors.full(0.5, dtype, device, shape);
  }

  private void time(String name, double bytes, Runnable body) {
    try (Scope _ = Scope.open()) {
      body.run(); // compiles
    }
    clock.reset();
    for (int i = 0; i <= REPEATS; i++) {
      clock.mark();
      if (i < REPEATS) {
        try (Scope _ = Scope.open()) {
          body.run();
        }
      }
    }
    List<Double> times = new ArrayList<>();
    for (int i = 1; i <= REPEATS; i++) {
      times.add(clock.milliseconds(i) - clock.milliseconds(i - 1));
    }
    times.sort(null);
    lines.add(new Line(name, bytes, times.get(REPEATS / 2)));
  }
}
