package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Locale;
import java.util.Optional;

/** The recovery action that newer drivers recommend for a GPU: a reset, a reboot. */
final class RecoveryCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "recovery",
          "What the driver asks for",
          "nvidia-smi -q",
          "error when the driver asks for a reset, a drain or a reboot");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "recovery action",
        Gpu::recoveryAction,
        value ->
            value.value().equalsIgnoreCase("None")
                ? Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.ERROR,
                        "the driver asks for: " + value.value(),
                        "programs on the GPU fail until that is done",
                        value.value().toLowerCase(Locale.ROOT).contains("reboot")
                            ? "sudo reboot"
                            : "sudo nvidia-smi --gpu-reset -i {i}")));
  }
}
