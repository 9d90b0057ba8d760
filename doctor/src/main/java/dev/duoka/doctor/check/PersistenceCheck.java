package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** Without persistence the driver forgets the card when its last program ends. */
final class PersistenceCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "persistence", "Persistence mode", "NVML or nvidia-smi -q", "a note when it is off");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "persistence mode",
        Gpu::persistence,
        value ->
            value.value()
                ? Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.NOTE,
                        "persistence mode is off",
                        "each start initialises the card anew (seconds), and power limits are lost"
                            + " in between",
                        "sudo systemctl enable --now nvidia-persistenced   # or: sudo nvidia-smi"
                            + " -pm 1")));
  }
}
