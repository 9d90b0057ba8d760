package dev.duoka.doctor.check;

import dev.duoka.ffi.nvml.ThrottleReason;
import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** Clocks that someone locked and forgot. */
final class ClocksCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "clocks",
          "Clocks",
          "NVML or nvidia-smi -q",
          "warning when a busy card runs far below its clock for no stated reason, or its"
              + " application clock was lowered");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "clocks",
        gpu -> gpu.clocks().sm(),
        value -> {
          Gpu gpu = value.gpu();
          int most = gpu.clocks().smMax().optional().orElse(value.value());
          boolean busy = gpu.utilization().optional().orElse(0) >= 50;
          boolean explained =
              gpu.throttle()
                  .optional()
                  .map(
                      reasons ->
                          reasons.stream().anyMatch(r -> r != ThrottleReason.APPLICATION_CLOCKS))
                  .orElse(true);
          if (busy && !explained && value.value() < 0.7 * most) {
            return Optional.of(
                new Findings.Fault(
                    Severity.WARNING,
                    "the clock is "
                        + value.value()
                        + " of "
                        + most
                        + " MHz under load, for no stated reason",
                    "someone locked the clocks; kernels take longer in proportion",
                    "sudo nvidia-smi -i {i} --reset-gpu-clocks && sudo nvidia-smi -i {i}"
                        + " --reset-applications-clocks"));
          }
          int set = gpu.clocks().application().optional().orElse(0);
          int usual = gpu.clocks().applicationDefault().optional().orElse(0);
          return set > 0 && set < usual
              ? Optional.of(
                  new Findings.Fault(
                      Severity.WARNING,
                      "the application clock is set to " + set + " MHz, the default is " + usual,
                      "kernels take longer in proportion",
                      "sudo nvidia-smi -i {i} --reset-applications-clocks"))
              : Optional.empty();
        });
  }
}
