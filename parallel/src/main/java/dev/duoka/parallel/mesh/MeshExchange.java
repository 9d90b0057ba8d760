package dev.duoka.parallel.mesh;

import dev.duoka.parallel.mesh.Mesh.Axis;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Who exchanges with whom along a mesh, the one that needs fast links most first: what a placement
 * of ranks goes by. What a step sends falls in this order, and what computation hides grows.
 */
public enum MeshExchange {
  /** Activations, several times in each layer. */
  TENSOR("exchange activations several times in every layer"),
  /** Rows of tokens, in each layer with experts. */
  EXPERT("send tokens to their experts and back in every layer with experts"),
  /** Keys and values, once round in each layer. */
  CONTEXT("pass keys and values round in every layer"),
  /** One activation for each micro-batch, between neighbours. */
  PIPELINE("pass on one activation for each micro-batch"),
  /** Gradients, once a step, and what ZeRO shards. */
  DATA("sum gradients once a step, behind the backward pass"),
  /** Gradients of shards between groups. */
  REPLICAS("sum the gradients of their shards once a step");

  private final String work;

  MeshExchange(String work) {
    this.work = work;
  }

  /** The axis as run files name it. */
  public String axis() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What the ranks of a group do with each other, as the rest of a sentence. */
  public String work() {
    return work;
  }

  /** Whether each rank exchanges with its neighbours alone. */
  public boolean isChain() {
    return this == PIPELINE;
  }

  /** How many ranks each group has. */
  public int size(Mesh mesh) {
    return switch (this) {
      case TENSOR -> mesh.tensor();
      case EXPERT -> mesh.expert();
      case CONTEXT -> mesh.context();
      case DATA -> mesh.shard();
      case PIPELINE -> mesh.pipeline();
      case REPLICAS -> mesh.replicate();
    };
  }

  /**
   * A mesh as run files write it, for example {@code {tensor: 2, data: 2}}.
   *
   * @param shown whose axes of several ranks are written
   */
  public static String text(Mesh mesh, Mesh shown) {
    Map<String, Integer> axes = new LinkedHashMap<>();
    put(axes, "tensor", shown.tensor(), mesh.tensor());
    put(axes, "expert", shown.expert(), mesh.expert());
    put(axes, "context", shown.context(), mesh.context());
    put(axes, "pipeline", shown.pipeline(), mesh.pipeline());
    put(axes, "data", shown.data(), mesh.data());
    put(axes, "replicate", shown.replicate(), mesh.replicate());
    return axes.toString().replace("=", ": ");
  }

  private static void put(Map<String, Integer> axes, String name, int shown, int ranks) {
    if (shown > 1) {
      axes.put(name, ranks);
    }
  }

  /** The groups of at least two ranks, in order; none where the axis has one rank. */
  public List<List<Integer>> groups(Mesh mesh) {
    return switch (this) {
      case TENSOR -> along(mesh, Axis.TENSOR);
      case EXPERT ->
          mesh.expert() == 1
              ? List.of()
              : IntStream.range(0, mesh.size() / mesh.expert())
                  .mapToObj(group -> mesh.expertGroup(group * mesh.expert()))
                  .toList();
      case CONTEXT -> along(mesh, Axis.CONTEXT);
      case DATA -> along(mesh, Axis.SHARD);
      case PIPELINE -> along(mesh, Axis.PIPELINE);
      case REPLICAS -> along(mesh, Axis.REPLICATE);
    };
  }

  private static List<List<Integer>> along(Mesh mesh, Axis axis) {
    Set<Axis> one = EnumSet.of(axis);
    return mesh.size(axis) == 1
        ? List.of()
        : IntStream.range(0, mesh.size())
            .filter(rank -> mesh.coordinate(rank, axis) == 0)
            .mapToObj(rank -> mesh.group(rank, one))
            .toList();
  }
}
