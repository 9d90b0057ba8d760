package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** Instances of a card cannot talk to each other. */
final class MigCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "mig", "MIG", "NVML or nvidia-smi -q", "warning when a card is cut into instances");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "MIG mode",
        Gpu::mig,
        value ->
            value.value()
                ? Optional.of(
                    new Findings.Fault(
                        Severity.WARNING,
                        "MIG is on",
                        "a rank gets one instance at most, without NVLink and without peer access",
                        "sudo nvidia-smi -i {i} -mig 0"))
                : Optional.empty());
  }
}
