package dev.duoka.machine.topology;

import java.util.List;
import java.util.Optional;

/**
 * The bandwidth to expect between two GPUs: exact for NVLink when the GPUs' generation is known, a
 * range where it is not and over PCIe. The data, with sources, are in {@code link-bandwidths.yaml}.
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
    return gpu.computeCapability()
        .or(() -> gpu.name().flatMap(LinkTable.get()::card).map(LinkTable.Card::computeCapability));
  }

  private static Optional<Bandwidth> nvlink(int links, Optional<String> capability) {
    List<LinkTable.Nvlink> all = LinkTable.get().nvlinks();
    Optional<LinkTable.Nvlink> known =
        capability.flatMap(
            wanted ->
                all.stream().filter(entry -> entry.capabilities().contains(wanted)).findFirst());
    if (known.isPresent()) {
      double rate = links * known.get().rate();
      return Optional.of(
          new Bandwidth(rate, rate, false, links + " links of " + known.get().name()));
    }
    List<LinkTable.Nvlink> usual =
        all.stream().filter(entry -> entry.counts().contains(links)).toList();
    List<LinkTable.Nvlink> possible =
        usual.isEmpty() ? all.stream().filter(entry -> entry.mostLinks() >= links).toList() : usual;
    if (possible.isEmpty()) {
      return Optional.empty();
    }
    double low = possible.stream().mapToDouble(LinkTable.Nvlink::rate).min().orElseThrow();
    double high = possible.stream().mapToDouble(LinkTable.Nvlink::rate).max().orElseThrow();
    String names = String.join(" or ", possible.stream().map(LinkTable.Nvlink::name).toList());
    return Optional.of(
        new Bandwidth(
            links * low, links * high, true, links + " links; the GPU is not known: " + names));
  }

  private static Optional<Bandwidth> pcie(LinkKind kind, Gpu a, Gpu b) {
    LinkTable table = LinkTable.get();
    boolean peers = table.hasPeerAccess(a.name()) && table.hasPeerAccess(b.name());
    Optional<LinkTable.Path> path =
        table.path(kind).map(known -> peers ? known : table.throughHost());
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
            Math.min(path.get().most(), slow * path.get().low()),
            Math.min(path.get().most(), fast * path.get().high()),
            !known || !path.get().measured(),
            known ? speedA.get() + " over " + kind + way : "PCIe 3 to 5 x16 over " + kind + way));
  }

  private static double rate(Optional<PcieSpeed> speed, PcieSpeed otherwise) {
    LinkTable table = LinkTable.get();
    return speed.flatMap(table::rate).or(() -> table.rate(otherwise)).orElseThrow();
  }

  private static Optional<PcieSpeed> speed(Gpu gpu) {
    return gpu.pcie()
        .or(
            () ->
                gpu.name()
                    .flatMap(LinkTable.get()::card)
                    .map(card -> new PcieSpeed(card.pcie(), 16)));
  }
}
