package dev.duoka.planner.machine;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.NvLink;
import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Link;
import dev.duoka.machine.topology.Placement;
import dev.duoka.machine.topology.Topology;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Turns a topology that was read into a machine of the catalogue's cards. */
public final class TopologyMachines {
  private static final int MOST_GPUS = 64;

  private TopologyMachines() {}

  /**
   * The machine.
   *
   * @param card the kind of its cards, where the topology does not name them; a name in it must
   *     agree
   */
  public static Machine of(Topology topology, Optional<Card> card, Catalogue catalogue) {
    int gpus = topology.gpus().size();
    if (gpus < 1 || gpus > MOST_GPUS) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the topology has " + gpus + " GPUs",
          "Plans are for one machine of 1 to " + MOST_GPUS + " GPUs.");
    }
    Card kind = kind(topology, card, catalogue);
    refuseContradiction(topology, kind);
    Machine usual = catalogue.machine(kind, gpus);
    if (gpus == 1) {
      return usual;
    }
    Interconnect bus = kind.p2pOverPcie() ? Interconnect.PCIE_P2P : Interconnect.PCIE_HOST;
    int domain = domain(topology);
    if (domain < 2) {
      return catalogue.machine(kind, gpus, bus, gpus, bus, 1);
    }
    Interconnect link =
        kind.nvlink().kind() == NvLink.Kind.NVSWITCH || domain > 2
            ? Interconnect.NVLINK
            : Interconnect.BRIDGE;
    double share = share(topology, kind);
    return catalogue.machine(kind, gpus, link, domain, domain == gpus ? link : bus, share);
  }

  private static Card kind(Topology topology, Optional<Card> given, Catalogue catalogue) {
    Set<String> names = new HashSet<>();
    for (Gpu gpu : topology.gpus()) {
      gpu.name().ifPresent(names::add);
    }
    Set<Card> found = new HashSet<>();
    for (String name : names) {
      found.add(
          catalogue
              .cardOfDevice(name)
              .or(() -> given)
              .orElseThrow(
                  () ->
                      new DuokaException(
                          ErrorCode.CONFIG,
                          "the catalogue has no card '" + name + "'",
                          "Add it to a file and give that with --catalogue.")));
    }
    if (found.size() > 1) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the machine has different cards: " + String.join(", ", names),
          "Plan for the equal ones alone, for example --machine 4xRTX-4090-24G.");
    }
    Optional<Card> named = found.stream().findFirst();
    if (named.isPresent() && given.isPresent() && !named.get().equals(given.get())) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the topology has "
              + named.get().name()
              + ", but "
              + given.get().name()
              + " was asked for",
          "Leave one of the two out.");
    }
    return named
        .or(() -> given)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.USAGE,
                    "the topology does not say which cards these are",
                    "Name them, for example --card A100-80G-SXM."));
  }

  /**
   * The size of the groups that NVLink connects fully, where every card is in one of that size;
   * where their sizes differ, the widest power of two that stays inside all of them; else 0.
   */
  private static int domain(Topology topology) {
    Placement placement = Placement.of(topology);
    List<Integer> sizes =
        placement.nvlinkGroups().stream().map(List::size).distinct().sorted().toList();
    if (sizes.isEmpty() || sizes.getFirst() < 2) {
      return 0;
    }
    return sizes.size() == 1 ? sizes.getFirst() : placement.tensorDegree();
  }

  /** A matrix with NVLink is not of cards that have none, or that have fewer. */
  private static void refuseContradiction(Topology topology, Card card) {
    int most = 0;
    for (Link link : topology.links().values()) {
      most = Math.max(most, link.isNvlink() ? link.nvlinks() : 0);
    }
    if (card.isNvidia() && most > card.nvlink().links()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the topology shows NV"
              + most
              + ", but "
              + card.name()
              + (card.nvlink().kind() == NvLink.Kind.NONE
                  ? " has no NVLink"
                  : " has at most NV" + card.nvlink().links()),
          "Name the card that it was taken from.");
    }
  }

  /** The part of the card's links that the weakest card has. */
  private static double share(Topology topology, Card card) {
    int full = card.nvlink().links();
    double weakest = 1;
    for (Gpu gpu : topology.gpus()) {
      int most = 0;
      int sum = 0;
      for (Gpu other : topology.gpus()) {
        if (other.index() != gpu.index()) {
          int links = topology.link(gpu.index(), other.index()).map(Link::nvlinks).orElse(0);
          most = Math.max(most, links);
          sum += links;
        }
      }
      // Over a switch every pair shows all links; in a mesh each pair has its own.
      double direct = full == 0 ? 1 : (double) most / full;
      double meshed = full == 0 ? 1 : (double) sum / full;
      weakest = Math.min(weakest, direct >= 0.6 ? Math.min(1, direct) : Math.min(1, meshed));
    }
    return Math.max(weakest, 0.05);
  }
}
