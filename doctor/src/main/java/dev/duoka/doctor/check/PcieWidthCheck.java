package dev.duoka.doctor.check;

import java.util.Optional;

/** A card that is badly seated or shares its slot has fewer lanes. */
final class PcieWidthCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "pcie-width",
          "PCIe lanes",
          "NVML or nvidia-smi -q",
          "error at a quarter of the lanes or fewer, warning below all of them");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "PCIe width",
        gpu -> gpu.pcie().width(),
        value -> {
          int lanes = value.value();
          int most = value.gpu().pcie().widthMax().optional().orElse(lanes);
          if (lanes <= 0 || lanes >= most) {
            return Optional.empty();
          }
          return Optional.of(
              new Findings.Fault(
                  4 * lanes <= most ? Severity.ERROR : Severity.WARNING,
                  "PCIe runs with x" + lanes + " of x" + most + " lanes",
                  "copies from and to the host, and to other GPUs without NVLink, take "
                      + most / lanes
                      + " times as long",
                  "power off, reseat the card and its riser, use a slot with all lanes; then:"
                      + " nvidia-smi -i {i} --query-gpu=pcie.link.width.current --format=csv"));
        });
  }
}
