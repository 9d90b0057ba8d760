package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.Optional;

/** The driver must be able to run the CUDA version that PyTorch was built with. */
final class DriverCudaCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "driver-cuda",
          "Driver new enough for PyTorch's CUDA",
          "driver version, PyTorch's build",
          "error when the driver cannot run that major version of CUDA; a note when it runs with"
              + " fewer features");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<String> driver = out.known("driver", machine.machine().driver().version());
    Optional<Software.Torch> torch = out.known("PyTorch", machine.machine().software().torch());
    if (driver.isEmpty() || torch.isEmpty()) {
      return;
    }
    Optional<String> cuda = out.known("PyTorch's CUDA", torch.get().cuda());
    if (cuda.isEmpty()) {
      return;
    }
    Compatibility table = machine.compatibility();
    String build = "PyTorch " + torch.get().version() + " is built with CUDA " + cuda.get();
    Optional<String> minimum = table.minimumDriver(cuda.get());
    Optional<String> own = table.toolkitDriver(cuda.get());
    Version installed = Version.of(driver.get());
    if (minimum.isPresent() && installed.isBefore(minimum.get())) {
      out.error(
          build + ", which needs driver " + minimum.get() + " or later; this is " + driver.get(),
          "every CUDA call fails with 'driver version is insufficient'",
          "sudo apt-get install nvidia-driver-580-server && sudo reboot"
              + table
                  .newestFor(driver.get())
                  .map(
                      b ->
                          "   # or keep the driver: "
                              + Compatibility.install(b.version(), b.cuda()))
                  .orElse(""));
    } else if (own.isPresent() && installed.isBefore(own.get())) {
      out.note(
          build + ", which came with driver " + own.get() + "; this is " + driver.get(),
          "it runs by minor version compatibility; kernels that are compiled while the program runs"
              + " from PTX of that version do not",
          "sudo apt-get install nvidia-driver-580-server && sudo reboot");
    }
  }
}
