package dev.duoka.doctor.check;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.Reading;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A diagnosis as JSON; the fields are documented in {@code docs/doctor.md} and stay as they are.
 */
public final class DoctorReportJson {
  private DoctorReportJson() {}

  /** The whole diagnosis. */
  public static ObjectNode of(DoctorReport diagnosis) {
    ObjectNode root = Json.object();
    root.put("healthy", diagnosis.isHealthy());
    ArrayNode findings = root.putArray("findings");
    for (Finding finding : diagnosis.findings()) {
      ObjectNode node = findings.addObject();
      node.put("check", finding.check());
      node.put("severity", finding.severity().text());
      node.put("evidence", finding.evidence());
      node.put("consequence", finding.consequence());
      node.put("fix", finding.fix());
    }
    ArrayNode checks = root.putArray("checks");
    for (DoctorReport.Examined examined : diagnosis.examined()) {
      ObjectNode node = checks.addObject();
      node.put("check", examined.check().id());
      node.put("title", examined.check().title());
      node.put("findings", examined.findings());
      ArrayNode unseen = node.putArray("unseen");
      examined.unseen().forEach(unseen::add);
    }
    ArrayNode copies = root.putArray("copies");
    for (CopyResult copy : diagnosis.copies()) {
      ObjectNode node = copies.addObject();
      node.put("way", copy.way());
      node.put("direct", copy.direct());
      node.put("bytes", copy.bytes());
      node.put("intact", copy.firstWrong() < 0 && copy.problem().isEmpty());
      node.put("gigabytes_per_second", copy.gigabytesPerSecond());
    }
    machine(root.putObject("machine"), diagnosis.machine());
    return root;
  }

  private static void machine(ObjectNode node, MachineSnapshot machine) {
    node.put("origin", machine.origin());
    node.put("live", machine.live());
    text(node, "driver", machine.driver().version());
    text(node, "cuda", machine.driver().cuda());
    ArrayNode gpus = node.putArray("gpus");
    for (Gpu gpu : machine.gpuList()) {
      ObjectNode entry = gpus.addObject();
      entry.put("index", gpu.index());
      text(entry, "name", gpu.name());
      text(entry, "uuid", gpu.uuid());
      text(entry, "pci_bus_id", gpu.pciBusId());
      text(entry, "compute_capability", gpu.capability());
      gpu.memoryTotal().optional().ifPresent(bytes -> entry.put("memory_bytes", bytes));
    }
    machine
        .software()
        .torch()
        .optional()
        .ifPresent(
            torch -> {
              ObjectNode entry = node.putObject("pytorch");
              entry.put("version", torch.version());
              entry.put("place", torch.place());
              text(entry, "cuda", torch.cuda());
              text(entry, "architectures", torch.architectures());
            });
    machine.host().memory().optional().ifPresent(bytes -> node.put("host_memory_bytes", bytes));
    machine.host().shm().optional().ifPresent(bytes -> node.put("shm_bytes", bytes));
    text(node, "container", machine.host().container());
    ArrayNode notes = node.putArray("notes");
    machine.notes().forEach(notes::add);
  }

  private static void text(ObjectNode node, String name, Reading<String> reading) {
    reading.optional().ifPresentOrElse(value -> node.put(name, value), () -> node.putNull(name));
  }
}
