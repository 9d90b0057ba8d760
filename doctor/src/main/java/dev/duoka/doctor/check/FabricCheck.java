package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** Machines with NVSwitch need the fabric manager, of the driver's exact version. */
final class FabricCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "fabric", "NVSwitch fabric", "nvidia-smi -q", "error when the fabric is not ready");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "fabric",
        Gpu::fabric,
        value ->
            value.value().equalsIgnoreCase("Completed")
                ? Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.ERROR,
                        "the state of the NVSwitch fabric is '" + value.value() + "'",
                        "CUDA does not start (CUDA_ERROR_SYSTEM_NOT_READY, 802)",
                        "sudo systemctl enable --now nvidia-fabricmanager; journalctl -u"
                            + " nvidia-fabricmanager -n 50   # its version must be the driver's")));
  }
}
