package dev.duoka.machine.topology;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is connected to what in one machine. Immutable; everything in it is certain, and what is not
 * is left out and named in the warnings.
 *
 * @param origin where it was read
 * @param gpus the GPUs in order of their indices, which have no gaps
 * @param links the connection of each pair of GPUs; a pair that is not certain is missing
 * @param pciePaths the way over PCIe of pairs whose connection is NVLink; known live only, or from
 *     a second matrix ({@code topo -mp})
 * @param nics the network cards in order of their columns
 * @param numaNodes the NUMA nodes that are known, in order
 * @param warnings what is missing, damaged or contradictory, one sentence each
 * @param pcieOnly whether it is the output of {@code topo -mp}, which shows no NVLink, so that
 *     nothing is known of NVLinks
 */
public record Topology(
    Origin origin,
    List<Gpu> gpus,
    SortedMap<Pair, Link> links,
    SortedMap<Pair, Link> pciePaths,
    List<Nic> nics,
    List<NumaNode> numaNodes,
    List<String> warnings,
    boolean pcieOnly) {

  /** Where a topology was read. */
  public enum Origin {
    /** The text of {@code nvidia-smi topo -m}. */
    TEXT,
    /** The driver and {@code /sys} of this machine. */
    LIVE,
    /** A description made by the program, such as a machine of the catalogue. */
    DESCRIBED
  }

  /** Copies the collections. */
  public Topology {
    gpus = List.copyOf(gpus);
    links = copy(links);
    pciePaths = copy(pciePaths);
    nics = List.copyOf(nics);
    numaNodes = List.copyOf(numaNodes);
    warnings = List.copyOf(warnings);
  }

  /** A topology in which NVLinks would be shown. */
  public Topology(
      Origin origin,
      List<Gpu> gpus,
      SortedMap<Pair, Link> links,
      SortedMap<Pair, Link> pciePaths,
      List<Nic> nics,
      List<NumaNode> numaNodes,
      List<String> warnings) {
    this(origin, gpus, links, pciePaths, nics, numaNodes, warnings, false);
  }

  /** The connection of two GPUs; empty where it is not known for certain. */
  public Optional<Link> link(int a, int b) {
    return Optional.ofNullable(links.get(Pair.of(a, b)));
  }

  /** The way over PCIe between two GPUs, whether or not NVLink connects them as well. */
  public Optional<Link> pciePath(int a, int b) {
    Link path = pciePaths.get(Pair.of(a, b));
    return path != null ? Optional.of(path) : link(a, b).filter(link -> !link.isNvlink());
  }

  /**
   * The maximal sets of at least two GPUs in which every pair is connected by NVLink, in order.
   * They may overlap: in a hybrid cube mesh a GPU belongs to several.
   */
  public List<List<Integer>> nvlinkDomains() {
    return NvlinkDomains.of(this);
  }

  /**
   * Those NVLink domains that go over NVSwitch, as far as their numbers of links show it: a card
   * whose pairs together show more links than it has shares them through a switch.
   */
  public List<List<Integer>> nvSwitches() {
    return NvSwitches.of(this);
  }

  /** Whether one NVLink domain holds all GPUs, and there are at least two. */
  public boolean fullyNvlinked() {
    return gpus.size() > 1
        && links.size() == (long) gpus.size() * (gpus.size() - 1) / 2
        && links.values().stream().allMatch(Link::isNvlink);
  }

  /** The GPUs and network cards behind common PCIe switches, as far as they are known. */
  public List<SwitchGroup> switches() {
    return SwitchGroups.of(this);
  }

  private static SortedMap<Pair, Link> copy(Map<Pair, Link> map) {
    return Collections.unmodifiableSortedMap(new TreeMap<>(map));
  }
}
