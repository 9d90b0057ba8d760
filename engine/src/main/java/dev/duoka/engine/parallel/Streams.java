package dev.duoka.engine.parallel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;

/** Waiting for a device. */
final class Streams {
  private Streams() {}

  /** Returns when everything that this thread launched on a GPU is done; at once elsewhere. */
  static void finish(Device device) {
    if (device.isCuda()) {
      try (Tensor one = Tensors.zeros(Dtype.FLOAT32, device, 1)) {
        HostCopy.item(one);
      }
    }
  }
}
