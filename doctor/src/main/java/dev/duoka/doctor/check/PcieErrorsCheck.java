package dev.duoka.doctor.check;

import dev.duoka.machine.probe.KernelEvent;
import java.util.List;
import java.util.Optional;

/** Packets that were damaged on the way. */
final class PcieErrorsCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "pcie-errors",
          "Errors of the PCIe links",
          "replay counters, kernel log (AER)",
          "error for uncorrectable errors, warning for many corrected ones");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<List<KernelEvent>> events = out.known("kernel log", machine.machine().kernelEvents());
    List<KernelEvent> bad = of(events, KernelEvent.Kind.PCIE_UNCORRECTED);
    List<KernelEvent> corrected = of(events, KernelEvent.Kind.PCIE_CORRECTED);
    if (!bad.isEmpty()) {
      out.error(
          bad.size() + " uncorrectable PCIe errors, the last: " + bad.getLast().line(),
          "transfers fail; the card may fall off the bus",
          "power off, reseat the card at "
              + bad.getLast().address()
              + " and its riser, then watch: sudo dmesg -w | grep AER");
    }
    if (corrected.size() >= MANY_CORRECTED) {
      out.warning(
          corrected.size() + " corrected PCIe errors, the last: " + corrected.getLast().line(),
          "each costs a repeated packet; many of them are the sign of a bad riser or slot",
          "reseat the card at "
              + corrected.getLast().address()
              + " and its riser; pcie_aspm=off on the kernel's command line helps where power"
              + " saving causes them");
    }
    out.each(
        machine.gpus(),
        "PCIe replays",
        gpu -> gpu.pcie().replays(),
        value ->
            value.value() >= MANY_REPLAYS
                ? Optional.of(
                    new Findings.Fault(
                        Severity.WARNING,
                        value.value() + " PCIe packets were sent again",
                        "bandwidth is lost, and the link is not sound",
                        "reseat the card and its riser; then: nvidia-smi -i {i} -q | grep Replays"))
                : Optional.empty());
  }

  private static final int MANY_CORRECTED = 20;
  private static final long MANY_REPLAYS = 10_000;

  private static List<KernelEvent> of(Optional<List<KernelEvent>> events, KernelEvent.Kind kind) {
    return events.orElse(List.of()).stream().filter(event -> event.kind() == kind).toList();
  }
}
