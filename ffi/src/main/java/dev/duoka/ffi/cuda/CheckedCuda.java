package dev.duoka.ffi.cuda;

import dev.duoka.base.Uninterruptibly;
import dev.duoka.ffi.cuda.CudaAvailability.Card;
import dev.duoka.ffi.cuda.CudaAvailability.NotUsable;
import dev.duoka.ffi.cuda.CudaAvailability.Obstacle;
import dev.duoka.ffi.cuda.CudaAvailability.Usable;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.library.TorchBuild;
import dev.duoka.ffi.torch.LibTorch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the answer of {@link CudaAvailability#check}: finding it walks through the machine code of
 * LibTorch's library, which takes milliseconds, and it is asked for with every number read back.
 */
final class CheckedCuda {
  private static volatile @Nullable CudaAvailability answer;

  private CheckedCuda() {}

  /** The answer; a failure to load LibTorch is none, and is found anew by the next call. */
  static CudaAvailability availability() {
    CudaAvailability known = answer;
    return known != null ? known : first();
  }

  private static synchronized CudaAvailability first() {
    CudaAvailability known = answer;
    if (known == null) {
      known = look();
      answer = known;
    }
    return known;
  }

  /** Loads LibTorch and the driver side by side: each takes more than a second. */
  private static LibraryChoice load() {
    List<Thread> driver = new ArrayList<>(1);
    try {
      return LibTorch.load(
          torch -> {
            if (torch.cuda()) {
              driver.add(Thread.ofPlatform().daemon().name("cuda-driver").start(CudaDriver::find));
            }
          });
    } finally {
      // After a failure too: a process must not end while its driver begins.
      driver.forEach(Uninterruptibly::join);
    }
  }

  private static CudaAvailability look() {
    LibraryChoice torch = load();
    if (!torch.cuda()) {
      return CudaAvailability.cpuBuild(torch);
    }
    return switch (CudaDriver.find()) {
      case Presence.Absent<CudaDriver>(String reason, String remedy) ->
          new NotUsable(Obstacle.NO_DEVICE, reason, remedy);
      case Presence.Present<CudaDriver>(CudaDriver driver) -> {
        Optional<NotUsable> mismatch =
            CudaAvailability.mismatch(
                torch,
                TorchBuild.cudaVersion(torch).map(CudaVersion::of),
                driver.version(),
                driver.devices().stream()
                    .map(d -> new Card(d.toString(), d.name(), d.computeCapability()))
                    .toList(),
                CudaAvailability.deviceCode(torch));
        yield mismatch.isPresent() ? mismatch.get() : new Usable(driver.devices());
      }
    };
  }
}
