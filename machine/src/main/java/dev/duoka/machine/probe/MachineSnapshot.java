package dev.duoka.machine.probe;

import dev.duoka.machine.topology.Topology;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is known of one machine at one moment.
 *
 * @param origin where it is from: {@code this machine}, or a folder or file
 * @param live whether it was read from the running system
 * @param driver NVIDIA's driver
 * @param gpus the GPUs by nvidia-smi's number
 * @param software PyTorch and NVIDIA's libraries, and where they lie
 * @param host processor, memory and limits
 * @param pci PCI devices that matter: GPUs, bridges, network adapters
 * @param kernelEvents what the kernel log says of GPUs and PCIe
 * @param environment the environment variables that steer CUDA, NCCL and PyTorch
 * @param topology what is connected to what, live or from the output of {@code nvidia-smi topo -m}
 * @param notes what was odd while reading: files that were not recognised, contradictions
 */
public record MachineSnapshot(
    String origin,
    boolean live,
    DriverFacts driver,
    Reading<List<Gpu>> gpus,
    Software software,
    Host host,
    Reading<List<PciDevice>> pci,
    Reading<List<KernelEvent>> kernelEvents,
    Reading<SortedMap<String, String>> environment,
    Reading<Topology> topology,
    List<String> notes) {

  /** Keeps copies of the lists. */
  public MachineSnapshot {
    gpus = gpus.map(List::copyOf);
    pci = pci.map(List::copyOf);
    kernelEvents = kernelEvents.map(List::copyOf);
    environment = environment.map(TreeMap::new);
    notes = List.copyOf(notes);
  }

  /** The GPUs; none where they are not known. */
  public List<Gpu> gpuList() {
    return gpus.optional().orElse(List.of());
  }

  /** An environment variable's value; unknown when it is not set or not captured. */
  public Reading<String> variable(String name) {
    return environment
        .optional()
        .map(
            variables ->
                variables.containsKey(name)
                    ? Reading.of(variables.get(name))
                    : Reading.<String>unknown(name + " is not set"))
        .orElseGet(() -> Reading.unknown(environment.why()));
  }
}
