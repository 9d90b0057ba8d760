package dev.duoka.machine.topology;

import dev.duoka.ffi.nvml.MemoryUse;
import dev.duoka.ffi.nvml.NvLink;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.nvml.P2pCapability;
import dev.duoka.ffi.nvml.P2pStatus;
import dev.duoka.ffi.nvml.TopologyLevel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Asks NVML once for everything that a topology needs. Reads only. */
final class NvmlView {
  private NvmlView() {}

  static DriverView of(Nvml nvml) {
    List<NvmlDevice> devices = nvml.devices();
    List<Gpu> gpus = new ArrayList<>();
    List<List<NvLink>> nvlinks = new ArrayList<>();
    Set<Pair> overNvlink = new HashSet<>();
    Map<Pair, LinkKind> paths = new HashMap<>();
    for (int i = 0; i < devices.size(); i++) {
      NvmlDevice device = devices.get(i);
      gpus.add(gpu(i, device));
      nvlinks.add(device.nvLinks());
      for (int j = 0; j < i; j++) {
        Pair pair = new Pair(j, i);
        devices.get(j).topologyTo(device).ifPresent(level -> paths.put(pair, kind(level)));
        Optional<P2pStatus> status =
            nvlinks.get(i).isEmpty()
                ? Optional.empty()
                : devices.get(j).p2pStatus(device, P2pCapability.NVLINK);
        if (status.isPresent() && status.get() == P2pStatus.OK) {
          overNvlink.add(pair);
        }
      }
    }
    return new DriverView(gpus, nvlinks, overNvlink, paths);
  }

  private static Gpu gpu(int index, NvmlDevice device) {
    return new Gpu(
        index,
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        device.name(),
        device.uuid(),
        device.pciBusId().map(SysTree::busId),
        device.computeCapability().map(c -> c.major() + "." + c.minor()),
        device.pcieLink().map(link -> new PcieSpeed(link.maxGeneration(), link.maxWidth())),
        device.memory().map(MemoryUse::total));
  }

  private static LinkKind kind(TopologyLevel level) {
    return switch (level) {
      case INTERNAL -> LinkKind.PSB;
      case SINGLE_SWITCH -> LinkKind.PIX;
      case MULTIPLE_SWITCHES -> LinkKind.PXB;
      case HOST_BRIDGE -> LinkKind.PHB;
      case NUMA_NODE -> LinkKind.NODE;
      case SYSTEM -> LinkKind.SYS;
    };
  }
}
