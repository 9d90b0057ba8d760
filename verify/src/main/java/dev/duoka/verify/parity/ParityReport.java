package dev.duoka.verify.parity;

import dev.duoka.train.device.SingleDevice;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * A comparison of everything in a folder.
 *
 * @param device that computed it
 * @param tolerance the largest relative error that holds
 * @param results one for each tensor and series
 */
public record ParityReport(SingleDevice device, double tolerance, List<ParityResult> results) {
  private static final double CPU_TOLERANCE = 1e-4;
  private static final double CUDA_TOLERANCE = 1e-3;

  /**
   * Compares on the calling thread.
   *
   * @param tolerance empty for that of the device: 1e-4 on the CPU and 1e-3 on a GPU
   */
  public static ParityReport of(Path folder, SingleDevice device, OptionalDouble tolerance) {
    double limit = tolerance.orElse(device.isCuda() ? CUDA_TOLERANCE : CPU_TOLERANCE);
    device.prepareThread();
    return new ParityReport(device, limit, ParityCheck.run(folder, device.device(), limit));
  }

  /** Whether every result is within the tolerance. */
  public boolean holds() {
    return results.stream().allMatch(result -> result.within(tolerance));
  }

  /** The largest relative error. */
  public double largestError() {
    return results.stream().mapToDouble(ParityResult::relativeError).max().orElse(0);
  }
}
