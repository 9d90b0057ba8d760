package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** The speed of the PCIe link, which says something under load only. */
final class PcieGenerationCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "pcie-generation",
          "PCIe generation",
          "NVML or nvidia-smi -q",
          "warning when a busy card runs below what card and slot allow; a note when the slot is"
              + " slower than the card; idle cards lower it and are left alone");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "PCIe generation",
        gpu -> gpu.pcie().generation(),
        value -> {
          Gpu gpu = value.gpu();
          int now = value.value();
          int most = gpu.pcie().generationMax().optional().orElse(now);
          int device = gpu.pcie().generationDeviceMax().optional().orElse(most);
          if (now > 0 && now < most && !gpu.looksIdle()) {
            return Optional.of(
                new Findings.Fault(
                    Severity.WARNING,
                    "PCIe runs at generation " + now + " of " + most + " under load",
                    "copies from and to the host take up to "
                        + (1 << (most - now))
                        + " times as long",
                    "set the slot to its generation in the BIOS (not 'Auto'), replace the riser;"
                        + " then, under load: nvidia-smi -i {i} -q | grep -A 6 'PCIe Generation'"));
          }
          return device > most
              ? Optional.of(
                  new Findings.Fault(
                      Severity.NOTE,
                      "the card could do PCIe generation " + device + ", the slot " + most,
                      "copies from and to the host take "
                          + (1 << (device - most))
                          + " times as long as they could",
                      "use a slot of generation " + device + ", if the board has one"))
              : Optional.empty();
        });
  }
}
