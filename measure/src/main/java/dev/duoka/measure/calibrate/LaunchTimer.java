package dev.duoka.measure.calibrate;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;

/** How long the host's thread takes to launch an operator, whatever that computes. */
final class LaunchTimer {
  private static final int CALLS = 500;
  private static final int ROUNDS = 7;

  private final Device device;

  LaunchTimer(Device device) {
    this.device = device;
  }

  /** Seconds of a launch, of the fastest round: the device must not hold it back. */
  double seconds() {
    double least = Double.MAX_VALUE;
    try (Scope _ = Scope.open()) {
      Tensor small = Tensors.zeros(Dtype.FLOAT32, device, 1);
      for (int round = 0; round < ROUNDS; round++) {
        long start = System.nanoTime();
        for (int i = 0; i < CALLS; i++) {
          Elementwise.mulInPlace(small, 1);
        }
        least = Math.min(least, (System.nanoTime() - start) * 1e-9 / CALLS);
        HostCopy.floats(small); // the next round finds an empty queue
      }
    }
    return least;
  }
}
