package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.Host;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.PciDevice;
import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.topology.Topology;
import java.util.List;
import java.util.Optional;

/**
 * What the checks look at.
 *
 * @param machine the facts
 * @param copies what came of copying data between GPUs; unknown where that was not done
 * @param plan what the run that is planned needs
 * @param topology what is connected to what; empty where that is not known
 * @param compatibility which versions fit together
 */
record Examination(
    MachineSnapshot machine,
    Reading<List<CopyResult>> copies,
    Optional<RunDemand> plan,
    Optional<Topology> topology,
    Compatibility compatibility) {

  List<Gpu> gpus() {
    return machine.gpuList();
  }

  Host host() {
    return machine.host();
  }

  /** Whether there is at least one GPU, by driver or by PCI. */
  boolean hasGpu() {
    return !gpus().isEmpty() || pci(PciDevice.Kind.GPU) > 0;
  }

  long pci(PciDevice.Kind kind) {
    return machine.pci().optional().orElse(List.of()).stream()
        .filter(device -> device.kind() == kind)
        .count();
  }

  boolean inContainer() {
    return host().container().optional().map(kind -> !kind.equals("none")).orElse(false);
  }

  /** Whether every GPU has at least one NVLink that is up. */
  boolean allOnNvLink() {
    return !gpus().isEmpty()
        && gpus().stream().allMatch(gpu -> gpu.nvlink().active().optional().orElse(0) > 0);
  }

  /** Bytes of all GPUs together. */
  long gpuMemory() {
    return gpus().stream().mapToLong(gpu -> gpu.memoryTotal().optional().orElse(0L)).sum();
  }
}
