package dev.duoka.measure.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;

/**
 * What surrounds a kernel in a step: large products, and a copy. A card at its power limit runs at
 * a clock that follows from all that it did lately; a kernel that draws less than products is
 * therefore faster alone than in a step, by up to a fifth (attention's backward pass on an H200),
 * and products are a little slower. Owns its tensors. One thread.
 */
public final class StepLoad implements AutoCloseable {
  private static final long ROWS = 8192;
  private static final long WIDTH = 4096;
  private static final int PRODUCTS = 3;

  /** The least that surrounds a call, and by how much it outlasts a long one. */
  private static final double LEAST_MS = 1;

  private static final double TIMES = 2;

  private final Scope scope;
  private final Tensor a;
  private final Tensor b;
  private final Tensor from;
  private final Tensor to;
  private final double roundMs;

  /** The load of a device, which is run for a moment. */
  public StepLoad(Device device, Dtype dtype) {
    scope = Scope.open();
    try (KernelTimer timer = new KernelTimer(device, dtype)) {
      a = timer.random(ROWS, WIDTH);
      b = timer.random(WIDTH, WIDTH);
      from = Tensors.zeros(Dtype.FLOAT32, device, ROWS, WIDTH);
      to = Tensors.zeros(Dtype.FLOAT32, device, ROWS, WIDTH);
      roundMs = timer.milliseconds(this::round);
    }
  }

  /** How long a call of so many milliseconds is surrounded. */
  static double around(double milliseconds) {
    return Math.max(LEAST_MS, TIMES * milliseconds);
  }

  /** Launches so many milliseconds of it at least. */
  public void run(double milliseconds) {
    for (double done = 0; done < milliseconds; done += roundMs) {
      round();
    }
  }

  private void round() {
    try (Scope _ = Scope.open()) {
      for (int i = 0; i < PRODUCTS; i++) {
        Products.mm(a, b);
      }
      Copies.into(to, from);
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
