package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.Host;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.Reading;
import tools.jackson.databind.node.ObjectNode;

/**
 * What of a machine can make a difference to a run and stays as it is while nobody changes it: no
 * temperatures, no loads, no free memory. What is not known is left out.
 */
final class HardwareFacts {
  private HardwareFacts() {}

  static ObjectNode of(MachineSnapshot machine) {
    ObjectNode json = Json.object();
    json.set("host", host(machine.host()));
    ObjectNode gpus = json.putObject("gpus");
    machine.gpuList().forEach(gpu -> gpus.set(String.valueOf(gpu.index()), gpu(gpu)));
    ObjectNode links = json.putObject("links");
    machine
        .topology()
        .optional()
        .ifPresent(
            topology ->
                topology.links().forEach((pair, link) -> links.put(pair.toString(), link.label())));
    return json;
  }

  private static ObjectNode host(Host host) {
    ObjectNode json = Json.object();
    put(json, "cpu", host.cpu());
    put(json, "processors", host.processors());
    put(json, "allowed_processors", host.allowedProcessors());
    put(json, "numa_nodes", host.numaNodes());
    put(json, "memory", host.memory());
    put(json, "cgroup_memory", host.cgroupMemory().map(HardwareFacts::limit));
    put(json, "cgroup_cpus", host.cgroupCpus().map(HardwareFacts::limit));
    put(json, "locked_memory", host.lockedMemory().map(HardwareFacts::limit));
    put(json, "shm", host.shm());
    put(json, "container", host.container());
    put(json, "iommu", host.iommu());
    put(json, "kernel", host.kernel());
    return json;
  }

  private static String limit(Number value) {
    return value.doubleValue() >= Host.UNLIMITED ? "unlimited" : value.toString();
  }

  private static ObjectNode gpu(Gpu gpu) {
    ObjectNode json = Json.object();
    put(json, "name", gpu.name());
    put(json, "uuid", gpu.uuid());
    put(json, "pci", gpu.pciBusId());
    put(json, "capability", gpu.capability());
    put(json, "memory", gpu.memoryTotal());
    put(json, "pcie_generation", gpu.pcie().generationMax());
    put(json, "pcie_width", gpu.pcie().widthMax());
    put(json, "nvlinks", gpu.nvlink().active());
    put(json, "ecc", gpu.health().ecc());
    put(json, "power_limit", gpu.power().limit());
    put(json, "sm_clock", gpu.clocks().smMax());
    put(json, "application_clock", gpu.clocks().application());
    put(json, "persistence", gpu.persistence());
    put(json, "mig", gpu.mig());
    put(json, "compute_mode", gpu.computeMode());
    put(json, "fabric", gpu.fabric());
    return json;
  }

  private static void put(ObjectNode json, String name, Reading<?> reading) {
    reading.optional().ifPresent(value -> json.put(name, value.toString()));
  }
}
