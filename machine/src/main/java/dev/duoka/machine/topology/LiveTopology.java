package dev.duoka.machine.topology;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.NvLink;
import dev.duoka.ffi.nvml.Nvml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A machine's topology from its driver and {@code /sys}; {@code LiveProbe} reads it. Without a
 * driver it tells what {@code /sys} knows: NUMA nodes, network cards, and GPUs by their place on
 * the PCI bus.
 */
public final class LiveTopology {
  private LiveTopology() {}

  /**
   * A machine's topology.
   *
   * @param nvml its driver, or why there is none
   * @param root its file system
   */
  public static Topology read(Presence<Nvml> nvml, Path root) {
    return switch (nvml) {
      case Presence.Absent<Nvml>(String reason, String remedy) ->
          withoutDriver(reason + ". " + remedy + ".", new SysTree(root));
      case Presence.Present<Nvml>(Nvml driver) -> {
        try {
          yield of(NvmlView.of(driver), new SysTree(root));
        } catch (DuokaException e) {
          yield withoutDriver("The driver fails: " + e.getMessage(), new SysTree(root));
        }
      }
    };
  }

  /** Whether a topology lacks what only a driver knows. */
  public static boolean lacksDriver(Topology topology) {
    return topology.origin() == Topology.Origin.LIVE
        && topology.gpus().stream().allMatch(gpu -> gpu.uuid().isEmpty());
  }

  static Topology withoutDriver(String reason, SysTree tree) {
    List<Gpu> gpus = new ArrayList<>();
    List<String> busIds = tree.nvidiaGpus();
    for (int i = 0; i < busIds.size(); i++) {
      gpus.add(onBus(Gpu.numbered(i), busIds.get(i), tree));
    }
    SortedMap<Pair, Link> paths = new TreeMap<>();
    for (int i = 0; i < gpus.size(); i++) {
      for (int j = i + 1; j < gpus.size(); j++) {
        Pair pair = new Pair(i, j);
        tree.path(busIds.get(i), busIds.get(j)).ifPresent(path -> paths.put(pair, path));
      }
    }
    List<String> warnings = new ArrayList<>();
    warnings.add("NVIDIA's driver cannot be asked, so NVLink is not known. " + reason);
    return topology(gpus, new TreeMap<>(), paths, tree, warnings);
  }

  static Topology of(DriverView view, SysTree tree) {
    List<String> warnings = new ArrayList<>();
    List<Gpu> gpus = view.gpus().stream().map(gpu -> located(gpu, tree)).toList();
    SortedMap<Pair, Link> links = new TreeMap<>();
    SortedMap<Pair, Link> paths = new TreeMap<>();
    for (int i = 0; i < gpus.size(); i++) {
      for (int j = i + 1; j < gpus.size(); j++) {
        Pair pair = new Pair(i, j);
        Optional<Link> path = path(pair, gpus, view, tree);
        path.ifPresent(link -> paths.put(pair, link));
        int count = nvlinks(pair, gpus, view);
        if (count > 0) {
          links.put(pair, Link.nvlink(count));
        } else {
          path.ifPresent(link -> links.put(pair, link));
        }
      }
      warnOfInactive(i, view.nvlinks().get(i), warnings);
    }
    if (gpus.isEmpty()) {
      warnings.add("The driver lists no GPU.");
    }
    int pairs = gpus.size() * (gpus.size() - 1) / 2;
    if (links.size() < pairs) {
      warnings.add(
          "Neither the driver nor /sys tells the connection of "
              + (pairs - links.size())
              + " of "
              + pairs
              + " pairs.");
    }
    return topology(gpus, links, paths, tree, warnings);
  }

  private static Topology topology(
      List<Gpu> gpus,
      SortedMap<Pair, Link> links,
      SortedMap<Pair, Link> paths,
      SysTree tree,
      List<String> warnings) {
    List<Nic> nics = tree.nics().stream().map(nic -> connected(nic, gpus, tree)).toList();
    return new Topology(Topology.Origin.LIVE, gpus, links, paths, nics, tree.numaNodes(), warnings);
  }

  private static Optional<Link> path(Pair pair, List<Gpu> gpus, DriverView view, SysTree tree) {
    LinkKind kind = view.paths().get(pair);
    if (kind != null) {
      return Optional.of(Link.of(kind));
    }
    Optional<String> a = gpus.get(pair.first()).pciBusId();
    Optional<String> b = gpus.get(pair.second()).pciBusId();
    return a.isPresent() && b.isPresent() ? tree.path(a.get(), b.get()) : Optional.empty();
  }

  /** Links that end at the other GPU, or, through switches, what both have up. */
  private static int nvlinks(Pair pair, List<Gpu> gpus, DriverView view) {
    List<NvLink> first = view.nvlinks().get(pair.first());
    Optional<String> other = gpus.get(pair.second()).pciBusId();
    long direct =
        first.stream()
            .filter(NvLink::active)
            .filter(
                link ->
                    other.isPresent() && link.remotePciBusId().map(SysTree::busId).equals(other))
            .count();
    if (direct > 0) {
      return (int) direct;
    }
    int a = toSwitches(first);
    int b = toSwitches(view.nvlinks().get(pair.second()));
    return view.overNvlink().contains(pair) ? Math.min(a, b) : 0;
  }

  private static int toSwitches(List<NvLink> links) {
    return (int)
        links.stream()
            .filter(NvLink::active)
            .filter(link -> link.remote().orElse(NvLink.Remote.UNKNOWN) != NvLink.Remote.GPU)
            .filter(link -> link.remote().orElse(NvLink.Remote.UNKNOWN) != NvLink.Remote.IBM_NPU)
            .count();
  }

  private static void warnOfInactive(int gpu, List<NvLink> links, List<String> warnings) {
    List<Integer> down = links.stream().filter(link -> !link.active()).map(NvLink::link).toList();
    if (!down.isEmpty() && down.size() < links.size()) {
      warnings.add("GPU " + gpu + " has NVLinks that are not active: " + Listing.of(down) + ".");
    }
  }

  private static Gpu located(Gpu gpu, SysTree tree) {
    return gpu.pciBusId().map(bus -> onBus(gpu, bus, tree)).orElse(gpu);
  }

  private static Gpu onBus(Gpu gpu, String busId, SysTree tree) {
    Gpu placed =
        gpu.withAffinity(
            tree.numaNode(busId),
            tree.numaAffinity(busId),
            tree.localCpus(busId),
            gpu.memoryNumaNode());
    return placed.pciBusId().isPresent() ? placed : placed.at(busId);
  }

  private static Nic connected(Nic nic, List<Gpu> gpus, SysTree tree) {
    SortedMap<Integer, Link> links = new TreeMap<>();
    for (Gpu gpu : gpus) {
      if (gpu.pciBusId().isPresent() && nic.pciBusId().isPresent()) {
        tree.path(gpu.pciBusId().get(), nic.pciBusId().get())
            .ifPresent(link -> links.put(gpu.index(), link));
      }
    }
    return new Nic(
        nic.label(), nic.device(), links, nic.numaNode(), nic.pciBusId(), nic.gigabitsPerSecond());
  }
}
