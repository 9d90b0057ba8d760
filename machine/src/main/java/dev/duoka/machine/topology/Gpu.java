package dev.duoka.machine.topology;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A GPU and where it sits.
 *
 * @param index its number in {@code nvidia-smi}
 * @param numaNode the NUMA node of the CPUs nearest to it; empty where that is not one certain node
 * @param numaAffinity the NUMA nodes as the driver lists them, for example {@code 0,2-17}
 * @param cpuAffinity the CPUs nearest to it, for example {@code 0-23,48-71}
 * @param memoryNumaNode the NUMA node that its own memory appears as (Grace machines)
 * @param name the product, for example {@code NVIDIA H100 80GB HBM3}
 * @param uuid the driver's identity of it
 * @param pciBusId its place on the PCI bus, lower case, for example {@code 0000:1b:00.0}
 * @param computeCapability for example {@code 9.0}
 * @param pcie the fastest PCIe link that card and slot allow
 * @param memoryBytes its memory
 */
public record Gpu(
    int index,
    OptionalInt numaNode,
    Optional<String> numaAffinity,
    Optional<String> cpuAffinity,
    OptionalInt memoryNumaNode,
    Optional<String> name,
    Optional<String> uuid,
    Optional<String> pciBusId,
    Optional<String> computeCapability,
    Optional<PcieSpeed> pcie,
    Optional<Long> memoryBytes) {

  /** A GPU of which only the number is known. */
  public static Gpu numbered(int index) {
    return new Gpu(
        index,
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** The same GPU with the affinities that the matrix's columns give. */
  Gpu withAffinity(
      OptionalInt node, Optional<String> numa, Optional<String> cpus, OptionalInt memoryNode) {
    return new Gpu(
        index,
        node,
        numa,
        cpus,
        memoryNode,
        name,
        uuid,
        pciBusId,
        computeCapability,
        pcie,
        memoryBytes);
  }

  /** The same GPU as the given product. */
  Gpu named(String product) {
    return new Gpu(
        index,
        numaNode,
        numaAffinity,
        cpuAffinity,
        memoryNumaNode,
        Optional.of(product),
        uuid,
        pciBusId,
        computeCapability,
        pcie,
        memoryBytes);
  }

  /** The same GPU at a place on the PCI bus. */
  Gpu at(String busId) {
    return new Gpu(
        index,
        numaNode,
        numaAffinity,
        cpuAffinity,
        memoryNumaNode,
        name,
        uuid,
        Optional.of(busId),
        computeCapability,
        pcie,
        memoryBytes);
  }
}
