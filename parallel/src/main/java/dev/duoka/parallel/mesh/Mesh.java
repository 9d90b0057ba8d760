package dev.duoka.parallel.mesh;

import dev.duoka.layout.Layout;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * How the ranks of a run are numbered: the world is pipeline × replicate × shard × context ×
 * tensor, and tensor varies fastest, so that ranks which exchange most are neighbours. Data
 * parallelism is replicate × shard.
 *
 * <p>Experts spread over {@code expert} neighbours among the shard × context × tensor ranks of one
 * stage and replica; no expert is cut.
 *
 * @param pipeline stages
 * @param replicate groups of ranks of which each holds all that is sharded
 * @param shard data-parallel ranks within such a group
 * @param context ranks that share every sequence
 * @param tensor ranks that share every product
 * @param expert ranks over which the experts are spread; 1 for all on each
 */
public record Mesh(int pipeline, int replicate, int shard, int context, int tensor, int expert) {
  /** The axes, the slowest first. */
  public enum Axis {
    PIPELINE,
    REPLICATE,
    SHARD,
    CONTEXT,
    TENSOR
  }

  /** Refuses sizes below 1, and experts over ranks that do not divide. */
  public Mesh {
    if (pipeline < 1 || replicate < 1 || shard < 1 || context < 1 || tensor < 1 || expert < 1) {
      throw new IllegalArgumentException("an axis of a mesh has at least one rank");
    }
    if (shard * context * tensor % expert != 0) {
      throw new IllegalArgumentException(
          "experts over "
              + expert
              + " ranks do not divide shard × context × tensor = "
              + shard * context * tensor);
    }
  }

  /** The mesh of a layout. */
  public static Mesh of(Layout layout) {
    return new Mesh(
        layout.pipeline(),
        layout.replicate(),
        layout.data() / layout.replicate(),
        layout.context(),
        layout.tensor(),
        layout.expert());
  }

  /**
   * The largest mesh of at most so many ranks whose axes divide this one's, so that what divided
   * among this one's ranks divides among its. Of equally large ones that which keeps tensor, then
   * pipeline, then context: fewer data ranks change nothing but the time.
   */
  public Mesh within(int ranks) {
    Mesh best = new Mesh(1, 1, 1, 1, 1, 1);
    for (int t : divisors(tensor)) {
      for (int p : divisors(pipeline)) {
        for (int c : divisors(context)) {
          for (int d : divisors(shard)) {
            for (int r : divisors(replicate)) {
              int size = p * r * d * c * t;
              if (size <= ranks && size > best.size()) {
                best = new Mesh(p, r, d, c, t, largestCommon(expert, d * c * t));
              }
            }
          }
        }
      }
    }
    return best;
  }

  /** The largest first. */
  private static List<Integer> divisors(int number) {
    return IntStream.iterate(number, it -> it > 0, it -> it - 1)
        .filter(it -> number % it == 0)
        .boxed()
        .toList();
  }

  private static int largestCommon(int a, int b) {
    return b == 0 ? a : largestCommon(b, a % b);
  }

  /** How many ranks there are. */
  public int size() {
    return pipeline * replicate * shard * context * tensor;
  }

  /** How many ranks an axis has. */
  public int size(Axis axis) {
    return switch (axis) {
      case PIPELINE -> pipeline;
      case REPLICATE -> replicate;
      case SHARD -> shard;
      case CONTEXT -> context;
      case TENSOR -> tensor;
    };
  }

  /** Where a rank stands along an axis, from 0. */
  public int coordinate(int rank, Axis axis) {
    return rank / stride(axis) % size(axis);
  }

  /** The data-parallel rank: which share of every batch a rank reads. */
  public int dataRank(int rank) {
    return coordinate(rank, Axis.REPLICATE) * shard + coordinate(rank, Axis.SHARD);
  }

  /** Data-parallel ranks. */
  public int data() {
    return replicate * shard;
  }

  /** The ranks that differ from one in these axes alone, itself among them, in their order. */
  public List<Integer> group(int rank, Set<Axis> axes) {
    return IntStream.range(0, size())
        .filter(other -> color(other, axes) == color(rank, axes))
        .boxed()
        .toList();
  }

  /** The same number for ranks of one {@link #group}, another for any other. */
  public int color(int rank, Set<Axis> axes) {
    int color = 0;
    for (Axis axis : Axis.values()) {
      if (!axes.contains(axis)) {
        color = color * size(axis) + coordinate(rank, axis);
      }
    }
    return color;
  }

  /** The ranks over which one copy of all experts of a rank's stage is spread. */
  public List<Integer> expertGroup(int rank) {
    int first = rank - rank % expert;
    return IntStream.range(first, first + expert).boxed().toList();
  }

  /** Which part of the experts a rank holds, from 0 to {@code expert}. */
  public int expertPart(int rank) {
    return rank % expert;
  }

  /** The ranks that hold the same experts: their gradients are summed over these. */
  public List<Integer> expertReplicas(int rank) {
    return IntStream.range(0, size())
        .filter(other -> coordinate(other, Axis.PIPELINE) == coordinate(rank, Axis.PIPELINE))
        .filter(other -> expertPart(other) == expertPart(rank))
        .boxed()
        .toList();
  }

  /** Of {@link #expertReplicas}, those of the rank's replica. */
  public List<Integer> expertShards(int rank) {
    return expertReplicas(rank).stream()
        .filter(other -> coordinate(other, Axis.REPLICATE) == coordinate(rank, Axis.REPLICATE))
        .toList();
  }

  private int stride(Axis axis) {
    int stride = 1;
    for (int i = Axis.values().length - 1; i > axis.ordinal(); i--) {
      stride *= size(Axis.values()[i]);
    }
    return stride;
  }
}
