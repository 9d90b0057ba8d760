package dev.duoka.machine.topology;

import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.DeviceTraits;
import dev.duoka.hardware.LinkTable;
import dev.duoka.hardware.NvlinkGeneration;
import dev.duoka.hardware.PciePath;
import java.util.List;
import java.util.Optional;

/**
 * The bandwidth to expect between two GPUs: exact for NVLink when the GPUs' generation is known, a
 * range where it is not and over PCIe.
 */
public final class Bandwidths {
  private static final PcieSpeed SLOWEST_TODAY = new PcieSpeed(3, 16);
  private static final PcieSpeed FASTEST_TODAY = new PcieSpeed(5, 16);

  private Bandwidths() {}

  /** What two GPUs' connection should carry each way; empty where the connection is not known. */
  public static Optional<Bandwidth> expected(Topology topology, int a, int b) {
    return topology
        .link(a, b)
        .flatMap(
            link ->
                link.isNvlink()
                    ? nvlink(link.nvlinks(), capability(topology.gpus().get(a)))
                    : pcie(link.kind(), topology.gpus().get(a), topology.gpus().get(b)));
  }

  /** The compute capability that NVML gives or the product's name tells. */
  static Optional<String> capability(Gpu gpu) {
    return gpu.computeCapability().or(() -> traits(gpu).map(DeviceTraits::computeCapability));
  }

  private static Optional<DeviceTraits> traits(Gpu gpu) {
    return gpu.name().flatMap(Catalogue.builtIn()::traitsOfDevice);
  }

  private static Optional<Bandwidth> nvlink(int links, Optional<String> capability) {
    List<NvlinkGeneration> all = LinkTable.builtIn().generations();
    Optional<NvlinkGeneration> known = capability.flatMap(LinkTable.builtIn()::generation);
    if (known.isPresent()) {
      double rate = links * known.get().linkGbs();
      return Optional.of(
          new Bandwidth(rate, rate, false, links + " links of " + known.get().name()));
    }
    List<NvlinkGeneration> usual =
        all.stream().filter(entry -> entry.counts().contains(links)).toList();
    List<NvlinkGeneration> possible =
        usual.isEmpty() ? all.stream().filter(entry -> entry.mostLinks() >= links).toList() : usual;
    if (possible.isEmpty()) {
      return Optional.empty();
    }
    double low = possible.stream().mapToDouble(NvlinkGeneration::linkGbs).min().orElseThrow();
    double high = possible.stream().mapToDouble(NvlinkGeneration::linkGbs).max().orElseThrow();
    String names = String.join(" or ", possible.stream().map(NvlinkGeneration::name).toList());
    return Optional.of(
        new Bandwidth(
            links * low, links * high, true, links + " links; the GPU is not known: " + names));
  }

  private static Optional<Bandwidth> pcie(LinkKind kind, Gpu a, Gpu b) {
    LinkTable table = LinkTable.builtIn();
    boolean peers = hasPeerAccess(a) && hasPeerAccess(b);
    Optional<PciePath> path =
        table.path(kind.name()).map(known -> peers ? known : table.throughHost());
    String way =
        peers
            ? ", with peer access"
            : ", through host memory, as there is no peer access: the share of the link is an"
                + " assumption";
    if (path.isEmpty()) {
      return Optional.empty();
    }
    Optional<PcieSpeed> speedA = speed(a);
    Optional<PcieSpeed> speedB = speed(b);
    boolean known = speedA.isPresent() && speedB.isPresent();
    double slow = Math.min(rate(speedA, SLOWEST_TODAY), rate(speedB, SLOWEST_TODAY));
    double fast = Math.min(rate(speedA, FASTEST_TODAY), rate(speedB, FASTEST_TODAY));
    return Optional.of(
        new Bandwidth(
            Math.min(path.get().mostGbs(), slow * path.get().low()),
            Math.min(path.get().mostGbs(), fast * path.get().high()),
            !known || !path.get().measured(),
            known ? speedA.get() + " over " + kind + way : "PCIe 3 to 5 x16 over " + kind + way));
  }

  /** A product that is not known has it. */
  private static boolean hasPeerAccess(Gpu gpu) {
    return traits(gpu).map(DeviceTraits::p2pOverPcie).orElse(true);
  }

  private static double rate(Optional<PcieSpeed> speed, PcieSpeed otherwise) {
    return speed.flatMap(Bandwidths::rate).or(() -> rate(otherwise)).orElseThrow();
  }

  private static Optional<Double> rate(PcieSpeed speed) {
    return LinkTable.builtIn().pcieGbs(speed.generation(), speed.width());
  }

  private static Optional<PcieSpeed> speed(Gpu gpu) {
    return gpu.pcie()
        .or(
            () ->
                traits(gpu).map(known -> new PcieSpeed(known.pcieGeneration(), known.pcieLanes())));
  }
}
