package dev.duoka.train.device;

import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.GpuOrder;
import dev.duoka.machine.topology.Topology;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshExchange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The GPUs that a process sees, by CUDA's numbers, in the topology of their machine, whose numbers
 * are those of {@code nvidia-smi}.
 *
 * @param indices the topology's number of each GPU, in CUDA's order
 * @param topology of the machine
 */
public record SeenGpus(List<Integer> indices, Topology topology) {
  public SeenGpus {
    indices = List.copyOf(indices);
  }

  /** All GPUs of a machine, in its own order. */
  public static SeenGpus all(Topology topology) {
    return new SeenGpus(topology.gpus().stream().map(Gpu::index).toList(), topology);
  }

  /**
   * CUDA's GPUs, told from the topology's by the place on the PCI bus; empty where the topology
   * does not know all of them.
   *
   * @param pciBusIds in CUDA's order
   */
  public static Optional<SeenGpus> of(List<String> pciBusIds, Topology topology) {
    Map<String, Integer> known = new HashMap<>();
    for (Gpu gpu : topology.gpus()) {
      gpu.pciBusId().ifPresent(id -> known.put(normal(id), gpu.index()));
    }
    List<Integer> indices = new ArrayList<>();
    for (String id : pciBusIds) {
      Integer index = known.get(normal(id));
      if (index == null) {
        return Optional.empty();
      }
      indices.add(index);
    }
    return Optional.of(new SeenGpus(indices, topology));
  }

  /**
   * CUDA's numbers of the GPUs of some ranks, in the order of the ranks: those that exchange most
   * have the fastest links ({@link MeshExchange}).
   *
   * @param first the first of the ranks that share these GPUs
   * @param ranks how many they are, no more than GPUs
   */
  public List<Integer> order(Mesh mesh, int first, int ranks) {
    List<GpuOrder.Exchange> exchanges =
        Arrays.stream(MeshExchange.values())
            .map(
                exchange ->
                    new GpuOrder.Exchange(
                        exchange.groups(mesh).stream()
                            .map(group -> within(group, first, ranks))
                            .filter(group -> group.size() > 1)
                            .toList(),
                        exchange.isChain()))
            .toList();
    return GpuOrder.of(topology, indices, ranks, exchanges).stream().map(indices::indexOf).toList();
  }

  /** CUDA's numbers of the first GPUs, in plain order. */
  static List<Integer> plain(int ranks) {
    return IntStream.range(0, ranks).boxed().toList();
  }

  private static List<Integer> within(List<Integer> group, int first, int ranks) {
    return group.stream().map(rank -> rank - first).filter(at -> 0 <= at && at < ranks).toList();
  }

  /** Domains are written with four or eight digits. */
  private static String normal(String pciBusId) {
    String lower = pciBusId.toLowerCase(Locale.ROOT);
    int colon = lower.indexOf(':');
    String domain = lower.substring(0, Math.max(colon, 0));
    return domain.replaceFirst("^0+(?=.)", "") + lower.substring(Math.max(colon, 0));
  }
}
