package dev.duoka.doctor.check;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.library.Presence;
import dev.duoka.machine.probe.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Copies data between all GPUs that this process sees and compares what arrives: through the host,
 * within each GPU, and between each pair in both directions.
 *
 * <p>It takes 128 MiB of a GPU at most, besides CUDA's context (about 0.5 GiB).
 */
public final class CopyTest {
  private static final int BYTES = 64 << 20;

  /** Free memory below which a GPU is left alone: someone is training on it. */
  private static final long LEAST_FREE = 1L << 30;

  private CopyTest() {}

  /** The copies, or why none could be made. */
  public static Reading<List<CopyResult>> run() {
    return switch (CudaDriver.find()) {
      case Presence.Absent<CudaDriver>(String reason, _) -> Reading.unknown(reason);
      case Presence.Present<CudaDriver>(CudaDriver driver) -> run(driver, BYTES);
    };
  }

  private static Reading<List<CopyResult>> run(CudaDriver driver, int bytes) {
    List<CudaDevice> devices = new ArrayList<>();
    List<CopyResult> results = new ArrayList<>();
    List<String> full = new ArrayList<>();
    for (CudaDevice device : driver.devices()) {
      if (device.memory().free() < LEAST_FREE) {
        full.add(device.toString());
      } else {
        devices.add(device);
      }
    }
    for (CudaDevice device : devices) {
      results.add(
          copy(
              "host to " + device + " and back",
              CopyResult.Kind.HOST,
              bytes,
              () -> new HostRoute(driver, device, bytes)));
      results.add(
          copy(
              "within " + device,
              CopyResult.Kind.DEVICE,
              bytes,
              () -> new DeviceRoute(driver, device, device, bytes)));
    }
    for (CudaDevice from : devices) {
      for (CudaDevice to : devices) {
        if (from != to) {
          results.add(
              copy(
                  from + " to " + to,
                  CopyResult.Kind.PEER,
                  bytes,
                  () -> new DeviceRoute(driver, from, to, bytes)));
        }
      }
    }
    return results.isEmpty()
        ? Reading.unknown("no GPU has 1 GiB free: " + String.join(", ", full))
        : Reading.of(List.copyOf(results));
  }

  static CopyResult copy(String way, CopyResult.Kind kind, int bytes, Supplier<CopyRoute> opening) {
    try (CopyRoute route = opening.get()) {
      CopyProbe.Outcome outcome = new CopyProbe(bytes).measure(route);
      return new CopyResult(
          way,
          kind,
          route.direct(),
          outcome.bytes(),
          outcome.firstWrong(),
          outcome.gigabytesPerSecond(),
          Optional.empty());
    } catch (DuokaException e) { // one bad pair must not hide the others
      return new CopyResult(
          way, kind, false, bytes, -1, 0, Optional.of(String.valueOf(e.getMessage())));
    }
  }
}
