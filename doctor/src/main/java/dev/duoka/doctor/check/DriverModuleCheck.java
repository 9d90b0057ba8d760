package dev.duoka.doctor.check;

import dev.duoka.machine.probe.KernelEvent;
import java.util.List;
import java.util.Optional;

/** After an update of the driver the old kernel module stays loaded until it is reloaded. */
final class DriverModuleCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "driver-module",
          "Kernel module and user library of one driver",
          "/proc/driver/nvidia/version, NVML, kernel log",
          "error when their versions differ");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    String fix =
        "sudo reboot   # or: stop all GPU programs, sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset"
            + " nvidia && sudo modprobe nvidia";
    String consequence =
        "CUDA fails with 'driver/library version mismatch' (CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)";
    boolean logged =
        machine.machine().kernelEvents().optional().orElse(List.of()).stream()
            .anyMatch(event -> event.kind() == KernelEvent.Kind.VERSION_MISMATCH);
    Optional<String> module = out.known("kernel module", machine.machine().driver().kernelModule());
    Optional<String> library = out.known("user library", machine.machine().driver().version());
    if (module.isPresent() && library.isPresent() && !module.get().equals(library.get())) {
      out.error(
          "the kernel module is " + module.get() + ", the user library " + library.get(),
          consequence,
          fix);
    } else if (logged && (module.isEmpty() || library.isEmpty())) {
      out.error("the kernel log says 'NVRM: API mismatch'", consequence, fix);
    }
  }
}
