package dev.duoka.doctor.check;

import dev.duoka.machine.probe.PciDevice;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** With ACS redirection on, peer traffic goes up to the processor and back. */
final class AcsCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "acs",
          "PCIe access control (ACS)",
          "lspci -vvv as root, or sysfs",
          "warning when bridges redirect peer traffic and GPUs need PCIe for each other; a note"
              + " when NVLink connects them");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.gpus().size() < 2 && machine.pci(PciDevice.Kind.GPU) < 2) {
      return;
    }
    Optional<List<PciDevice>> devices = out.known("PCI devices", machine.machine().pci());
    List<PciDevice> bridges =
        devices.orElse(List.of()).stream()
            .filter(device -> device.kind() == PciDevice.Kind.BRIDGE)
            .toList();
    if (bridges.isEmpty() || bridges.stream().allMatch(b -> b.acs().optional().isEmpty())) {
      bridges.stream().findFirst().ifPresent(b -> out.unseen("ACS: " + b.acs().why()));
      return;
    }
    List<String> redirecting =
        bridges.stream()
            .filter(bridge -> !bridge.acs().optional().orElse(Set.of()).isEmpty())
            .map(PciDevice::address)
            .toList();
    if (!redirecting.isEmpty()) {
      out.add(
          machine.allOnNvLink() ? Severity.NOTE : Severity.WARNING,
          redirecting.size()
              + " PCIe bridges redirect peer traffic (ACS), for example "
              + redirecting.getFirst(),
          machine.allOnNvLink()
              ? "network cards reach GPUs by way of the processor; NVLink between GPUs is not"
                  + " affected"
              : "GPUs reach each other by way of the processor at a fraction of the rate, or hang",
          "for b in $(lspci -D | awk '/PCI bridge/{print $1}'); do sudo setpci -s $b"
              + " ECAP_ACS+0x6.w=0000; done   # not in a virtual machine; better: ACS off in the"
              + " BIOS");
    }
  }
}
