package dev.duoka.measure.comm;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.util.Optional;

/**
 * What ranks put into their tensors before an exchange is checked: small whole numbers, so that
 * sums are exact in 16 bits in any order, and so mixed that a part in another's place, or of
 * another rank, is noticed.
 */
final class Pattern {
  /** The most ranks whose sum has no more than the 8 bits that bf16 keeps. */
  static final int MOST_RANKS = 32;

  /** Prime, so that parts of a tensor differ where a power of two is their length. */
  private static final int PERIOD = 65_521;

  /** How many stretches of a tensor are compared at most, and their length. */
  private static final int STRETCHES = 64;

  private static final int STRETCH = 1024;

  private Pattern() {}

  /** Element {@code index} of a rank's tensor: 0 to 7. */
  static int of(int rank, long index) {
    int mixed = (int) (index % PERIOD + 1) * 0x9E3779B1 + (rank + 1) * 0x85EBCA6B;
    mixed = (mixed ^ (mixed >>> 15)) * 0xC2B2AE35;
    return mixed >>> 29;
  }

  /** Fills a flat tensor with a rank's elements from {@code first} on. */
  static void fill(Tensor tensor, int rank, long first) {
    long length = tensor.elements();
    int head = (int) Math.min(length, PERIOD);
    float[] values = new float[head];
    for (int i = 0; i < head; i++) {
      values[i] = of(rank, first + i);
    }
    try (Scope _ = Scope.open()) {
      Dtype dtype = tensor.dtype();
      Device device = tensor.device();
      Copies.into(
          Views.narrow(tensor, 0, 0, head), HostCopy.fromFloats(values, dtype, device, head));
      for (long done = head; done < length; ) {
        long more = Math.min(done, length - done);
        Copies.into(Views.narrow(tensor, 0, done, more), Views.narrow(tensor, 0, 0, more));
        done += more;
      }
    }
  }

  /** What each element should be. */
  @FunctionalInterface
  interface Expected {
    int at(long index);
  }

  /**
   * Compares a flat tensor: all of a small one, stretches of a large one, its first and last
   * element among them. Waits for the device.
   *
   * @return the first difference; empty where there is none
   */
  static Optional<String> difference(Tensor tensor, Expected expected) {
    long length = tensor.elements();
    long stretches = Math.min(STRETCHES, (length + STRETCH - 1) / STRETCH);
    for (long stretch = 0; stretch < stretches; stretch++) {
      long last = Math.max(0, length - STRETCH);
      long start = stretches == 1 ? 0 : last * stretch / (stretches - 1);
      float[] seen;
      try (Scope _ = Scope.open()) {
        seen = HostCopy.floats(Views.narrow(tensor, 0, start, Math.min(STRETCH, length)));
      }
      for (int i = 0; i < seen.length; i++) {
        int right = expected.at(start + i);
        if (seen[i] != right) {
          return Optional.of("element " + (start + i) + " is " + seen[i] + ", not " + right);
        }
      }
    }
    return Optional.empty();
  }
}
