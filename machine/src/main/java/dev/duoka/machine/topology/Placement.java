package dev.duoka.machine.topology;

import java.util.Comparator;
import java.util.List;

/**
 * How a model's parallel axes should lie on a machine: tensor and expert parallelism inside an
 * NVLink domain, pipeline stages across slower links, data parallelism outermost.
 *
 * @param nvlinkGroups the GPUs divided into groups that NVLink connects fully, each GPU in one
 *     group; a GPU without NVLink is a group of its own
 * @param tensorDegree the widest tensor parallelism that stays inside every group, a power of two
 * @param tensorGroups the GPUs of each tensor-parallel group
 * @param expertGroups the GPUs of each expert-parallel group
 * @param pipelineStages the GPUs of each stage, in order, if a model needs more than one group
 * @param rankOrder GPU indices in the order that ranks should take: neighbours are near
 * @param reasons why, one sentence each
 */
public record Placement(
    List<List<Integer>> nvlinkGroups,
    int tensorDegree,
    List<List<Integer>> tensorGroups,
    List<List<Integer>> expertGroups,
    List<List<Integer>> pipelineStages,
    List<Integer> rankOrder,
    List<String> reasons) {

  /** Copies the lists. */
  public Placement {
    nvlinkGroups = List.copyOf(nvlinkGroups);
    tensorGroups = List.copyOf(tensorGroups);
    expertGroups = List.copyOf(expertGroups);
    pipelineStages = List.copyOf(pipelineStages);
    rankOrder = List.copyOf(rankOrder);
    reasons = List.copyOf(reasons);
  }

  /**
   * The GPUs of so many ranks, in the order of the ranks: the smallest group that holds them all,
   * or else the groups one after the other.
   *
   * @param ranks no more than there are GPUs
   * @param groups GPUs that NVLink connects fully
   */
  public static List<Integer> gpusFor(int ranks, List<List<Integer>> groups) {
    return groups.stream()
        .filter(group -> group.size() >= ranks)
        .min(Comparator.comparingInt(List::size))
        .orElseGet(() -> groups.stream().flatMap(List::stream).toList())
        .subList(0, ranks);
  }

  /** The placement that follows from a topology. */
  public static Placement of(Topology topology) {
    return new PlacementSearch(topology).place();
  }
}
