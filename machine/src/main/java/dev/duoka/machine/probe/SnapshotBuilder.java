package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/** Makes a snapshot of what was found. */
final class SnapshotBuilder {
  private SnapshotBuilder() {}

  /**
   * The snapshot.
   *
   * @param why why a fact that no source told is unknown
   */
  static MachineSnapshot build(SnapshotDraft facts, String origin, boolean live, String why) {
    refuseMixture(facts, origin);
    return new MachineSnapshot(
        origin,
        live,
        new DriverFacts(
            first(facts.driverVersions, why),
            first(facts.cudaVersions, why),
            first(facts.kernelModules, why)),
        facts.gpusListed ? Reading.of(facts.gpus.build()) : Reading.unknown(why),
        new Software(
            facts.torches.isEmpty() && !facts.packagesListed
                ? Reading.unknown(why)
                : Reading.of(
                    facts.torches.isEmpty()
                        ? PackageListReader.torches(facts.packages)
                        : facts.torches),
            facts.librariesListed ? Reading.of(facts.libraries) : Reading.unknown(why),
            facts.packagesListed ? Reading.of(facts.packages) : Reading.unknown(why),
            facts.toolkit.isEmpty() ? Reading.unknown(why) : Reading.of(facts.toolkit)),
        host(facts, why),
        facts.pciListed ? Reading.of(withoutDoubles(facts.pci)) : Reading.unknown(why),
        facts.kernelLogRead
            ? Reading.of(facts.kernelEvents)
            : Reading.unknown(facts.kernelLogProblem.isEmpty() ? why : facts.kernelLogProblem),
        facts.environmentRead ? Reading.of(new TreeMap<>(facts.environment)) : Reading.unknown(why),
        topology(facts, why),
        facts.notes);
  }

  private static Reading<Topology> topology(SnapshotDraft facts, String why) {
    if (facts.topology != null) {
      return Reading.of(facts.topology);
    }
    if (facts.topologyText.isEmpty()) {
      return Reading.unknown(why);
    }
    try {
      return Reading.of(TopologyReader.read(facts.topologyText, "the captured topology"));
    } catch (DuokaException e) { // says more when asked for it alone: duoka topo --file
      return Reading.unknown(String.valueOf(e.getMessage()));
    }
  }

  /** Findings about a machine that does not exist would be worse than none. */
  private static void refuseMixture(SnapshotDraft facts, String origin) {
    if (facts.driverVersions.size() > 1) {
      List<String> versions = new ArrayList<>();
      facts.driverVersions.forEach((version, source) -> versions.add(version + " in " + source));
      throw new DuokaException(
          ErrorCode.FORMAT,
          origin
              + " holds captures of different machines or times: driver "
              + String.join(", ", versions),
          "Put each machine's files into a folder of its own, or name one file with --from");
    }
  }

  /** The same device may be listed by several tools; the one that tells more stays. */
  private static List<PciDevice> withoutDoubles(List<PciDevice> devices) {
    Map<String, PciDevice> byAddress = new TreeMap<>();
    for (PciDevice device : devices) {
      byAddress.merge(
          device.address(),
          device,
          (a, b) ->
              new PciDevice(
                  a.address(),
                  a.kind(),
                  a.vendor(),
                  a.name().startsWith("0x") ? b.name() : a.name(),
                  a.generation().or(b.generation()),
                  a.generationMax().or(b.generationMax()),
                  a.width().or(b.width()),
                  a.widthMax().or(b.widthMax()),
                  a.numaNode().or(b.numaNode()),
                  a.acs().or(b.acs())));
    }
    return List.copyOf(byAddress.values());
  }

  private static Host host(SnapshotDraft facts, String why) {
    Reader reader = new Reader(facts.host, why);
    return new Host(
        reader.get(HostField.CPU, FieldText::text),
        reader.get(HostField.PROCESSORS, FieldText::small),
        reader.get(HostField.ALLOWED, text -> Reading.of(HostProbe.count(text))),
        reader.get(HostField.ALLOWED, FieldText::text),
        reader.get(HostField.NUMA_NODES, FieldText::small),
        reader.get(HostField.MEMORY, FieldText::whole),
        reader.get(HostField.MEMORY_AVAILABLE, FieldText::whole),
        reader.get(HostField.SHM, FieldText::whole),
        reader.get(HostField.LOCKED_MEMORY, SnapshotBuilder::limit),
        reader.get(HostField.OPEN_FILES, SnapshotBuilder::limit),
        reader.get(HostField.CGROUP_MEMORY, SnapshotBuilder::limit),
        reader.get(HostField.CGROUP_CPUS, SnapshotBuilder::processors),
        reader.get(HostField.CONTAINER, Reading::of),
        reader.get(HostField.IOMMU, Reading::of),
        reader.get(HostField.KERNEL, Reading::of));
  }

  private static Reading<Long> limit(String text) {
    return text.equals("unlimited") || text.equals("max")
        ? Reading.of(Host.UNLIMITED)
        : FieldText.whole(text);
  }

  private static Reading<Double> processors(String text) {
    return text.equals("max") ? Reading.of((double) Host.UNLIMITED) : FieldText.number(text);
  }

  private static Reading<String> first(Map<String, String> versions, String why) {
    return Reading.of(versions.keySet().stream().findFirst(), why);
  }

  private record Reader(Map<HostField, String> fields, String why) {
    <T> Reading<T> get(HostField field, Function<String, Reading<T>> parse) {
      return Optional.ofNullable(fields.get(field))
          .map(parse)
          .orElseGet(() -> Reading.unknown(why));
    }
  }
}
