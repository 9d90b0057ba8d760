package dev.duoka.doctor.check;

import java.util.Optional;

/** A translating IOMMU makes peer copies over PCIe slow, and wrong on some boards. */
final class IommuCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "iommu",
          "IOMMU",
          "kernel command line and log",
          "warning when it translates and GPUs need PCIe for each other; a note when NVLink"
              + " connects them");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.gpus().size() < 2) {
      return;
    }
    Optional<String> iommu = out.known("IOMMU", machine.host().iommu());
    if (iommu.isPresent() && iommu.get().equals("translating")) {
      out.add(
          machine.allOnNvLink() ? Severity.NOTE : Severity.WARNING,
          "the IOMMU translates addresses",
          machine.allOnNvLink()
              ? "copies over PCIe are slower; NVLink is not affected"
              : "peer copies over PCIe are slow, hang or arrive wrong on some boards",
          "sudo sed -i 's/GRUB_CMDLINE_LINUX=\\\"/&iommu=pt /' /etc/default/grub && sudo"
              + " update-grub && sudo reboot");
    }
  }
}
