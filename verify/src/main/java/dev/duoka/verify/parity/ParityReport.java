package dev.duoka.verify.parity;

import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.SingleDevice;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * A comparison of everything in a folder.
 *
 * @param device that computed it
 * @param mesh of ranks that computed it, as the option says it; empty for one rank
 * @param tolerance the largest relative error that holds
 * @param results one for each tensor and series
 * @param notCompared what the folder expects beside them, a kind of tensors once
 * @param dropout of the folder's adapter, which was left out; 0 for none
 */
public record ParityReport(
    String device,
    Optional<String> mesh,
    double tolerance,
    List<ParityResult> results,
    List<String> notCompared,
    double dropout) {
  private static final double CPU_TOLERANCE = 1e-4;
  private static final double CUDA_TOLERANCE = 1e-3;

  /**
   * Compares on the calling thread.
   *
   * @param tolerance empty for that of the device: 1e-4 on the CPU and 1e-3 on a GPU
   */
  public static ParityReport of(Path folder, SingleDevice device, OptionalDouble tolerance) {
    double limit = tolerance(device.isCuda(), tolerance);
    device.prepareThread();
    return of(
        folder,
        device.toString(),
        Optional.empty(),
        limit,
        ParityCheck.run(folder, device.device(), limit));
  }

  /**
   * Compares what the ranks of a mesh compute, as threads: each on a GPU of its own where there are
   * enough, else several on one.
   *
   * @param mesh as {@link MeshOption} reads it
   * @param tolerance as in the other method
   */
  public static ParityReport of(
      Path folder, String mesh, DeviceChoice device, OptionalDouble tolerance) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    DevicePlacement placement = DevicePlacement.shared(device, parallel.mesh());
    double limit = tolerance(placement.of(0).isCuda(), tolerance);
    String devices =
        placement.devices().stream()
            .distinct()
            .map(Device::toString)
            .collect(Collectors.joining(", "));
    return of(
        folder,
        devices,
        Optional.of(mesh),
        limit,
        ParityCheck.run(folder, parallel, placement, limit));
  }

  private static ParityReport of(
      Path folder,
      String devices,
      Optional<String> mesh,
      double limit,
      List<ParityResult> results) {
    try (ExpectedTensors expected = ExpectedTensors.open(folder)) {
      return new ParityReport(
          devices, mesh, limit, results, expected.without(results), dropout(folder));
    }
  }

  private static double dropout(Path folder) {
    return AdapterConfigFile.isIn(folder) ? AdapterConfigFile.read(folder).adapter().dropout() : 0;
  }

  private static double tolerance(boolean cuda, OptionalDouble asked) {
    return asked.orElse(cuda ? CUDA_TOLERANCE : CPU_TOLERANCE);
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
