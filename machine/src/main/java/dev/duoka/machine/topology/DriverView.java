package dev.duoka.machine.topology;

import dev.duoka.ffi.nvml.NvLink;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the driver says of GPUs and their connections.
 *
 * @param gpus the GPUs without affinities
 * @param nvlinks of each GPU its NVLinks
 * @param overNvlink pairs that the driver can copy between over NVLink
 * @param paths the PCIe path of each pair
 */
record DriverView(
    List<Gpu> gpus, List<List<NvLink>> nvlinks, Set<Pair> overNvlink, Map<Pair, LinkKind> paths) {
  DriverView {
    gpus = List.copyOf(gpus);
    nvlinks = List.copyOf(nvlinks);
    overNvlink = Set.copyOf(overNvlink);
    paths = Map.copyOf(paths);
  }
}
