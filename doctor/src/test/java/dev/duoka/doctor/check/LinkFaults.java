package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.busy;
import static dev.duoka.doctor.check.Faults.fault;
import static dev.duoka.doctor.check.Severity.ERROR;
import static dev.duoka.doctor.check.Severity.NOTE;
import static dev.duoka.doctor.check.Severity.WARNING;

import dev.duoka.machine.testing.FakeMachine;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of PCIe, NVLink and what stands in the way of direct copies. */
final class LinkFaults {
  private LinkFaults() {}

  static Stream<Arguments> all() {
    return Stream.of(
        fault("pcie-width", WARNING, m -> m.cards.get(1).width = "8x"),
        fault("pcie-width", ERROR, m -> m.cards.get(1).width = "4x"),
        fault(
            "pcie-generation",
            WARNING,
            m -> {
              busy(m.cards.get(0));
              m.cards.get(0).generation = "3";
            }),
        fault(
            "pcie-generation",
            NOTE,
            m -> {
              m.cards.get(0).generation = "4";
              m.cards.get(0).generationMax = "4";
            }),
        fault("pcie-errors", WARNING, m -> m.cards.get(0).replays = "123456"),
        fault(
            "pcie-errors",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[  99.1] pcieport 0000:15:01.0: PCIe Bus Error: severity=Uncorrectable"
                        + " (Fatal), type=Transaction Layer")),
        fault("nvlink", ERROR, m -> m.cards.get(3).linksDown = 1),
        fault(
            "nvlink",
            NOTE,
            m ->
                m.cards.forEach(
                    card -> {
                      card.name = "NVIDIA RTX A6000";
                      card.links = 4;
                      card.linksDown = 4;
                    })),
        fault("fabric", ERROR, m -> m.cards.forEach(card -> card.fabric = "In Progress")),
        fault("acs", NOTE, m -> m.acs = "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+"),
        fault(
            "acs",
            WARNING,
            m -> {
              m.acs = "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+";
              withoutNvLink(m);
            }),
        fault(
            "iommu",
            WARNING,
            m -> {
              m.files.put("root/proc/cmdline", "root=/dev/sda1 intel_iommu=on");
              withoutNvLink(m);
            }),
        fault("iommu", NOTE, m -> m.files.put("root/proc/cmdline", "root=/dev/sda1 amd_iommu=on")));
  }

  private static void withoutNvLink(FakeMachine machine) {
    machine.cards.forEach(
        card -> {
          card.name = "NVIDIA L40S";
          card.links = 0;
        });
  }
}
