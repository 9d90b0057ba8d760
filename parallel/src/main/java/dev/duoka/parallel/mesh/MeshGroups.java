package dev.duoka.parallel.mesh;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.parallel.mesh.Mesh.Axis;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * One rank's communicators along the axes of a mesh. Three of them sum gradients, for three kinds
 * of weights: {@link #cut} those that tensor parallelism cuts, {@link #whole} those that every
 * tensor rank holds and, under sequence parallelism, applies to other tokens, and {@link
 * #expertReplicas} experts. Groups of the same ranks share a communicator. Owns what it has made;
 * the world is the caller's. One thread.
 */
public final class MeshGroups implements AutoCloseable {
  private static final Set<Axis> CUT = EnumSet.of(Axis.REPLICATE, Axis.SHARD, Axis.CONTEXT);
  private static final Set<Axis> WHOLE =
      EnumSet.of(Axis.REPLICATE, Axis.SHARD, Axis.CONTEXT, Axis.TENSOR);

  private final Mesh mesh;
  private final Communicator world;
  private final Map<Set<Axis>, Communicator> along = new HashMap<>();
  private final Communicator pipeline;
  private final Communicator cut;
  private final Communicator whole;
  private final Communicator sequence;
  private final Communicator context;
  private final Communicator tensor;
  private final Communicator expert;
  private final Communicator expertReplicas;
  private final Communicator cutShards;
  private final Communicator wholeShards;
  private final Communicator expertShards;
  private final Communicator replicas;
  private final Communicator ends;
  private final Resources owned;

  /** As the other constructor, of a pipeline from its first rank to its last. Collective. */
  public MeshGroups(Mesh mesh, Communicator world) {
    this(mesh, world, 0, mesh.pipeline() - 1);
  }

  /**
   * Divides the world along the axes. Collective.
   *
   * @param world as many ranks as the mesh has
   * @param first the pipeline rank that runs the first stage
   * @param last the one that runs the last stage
   */
  public MeshGroups(Mesh mesh, Communicator world, int first, int last) {
    if (world.size() != mesh.size()) {
      throw new IllegalArgumentException(
          "a mesh of " + mesh.size() + " ranks for a world of " + world.size());
    }
    this.mesh = mesh;
    this.world = world;
    try (Resources made = new Resources()) {
      // One axis before several, so that a group of the same ranks has the plainer name.
      pipeline = along(made, "pipeline", EnumSet.of(Axis.PIPELINE));
      tensor = along(made, "tensor", EnumSet.of(Axis.TENSOR));
      context = along(made, "context", EnumSet.of(Axis.CONTEXT));
      cut = along(made, "data", CUT);
      sequence = along(made, "context and tensor", EnumSet.of(Axis.CONTEXT, Axis.TENSOR));
      whole = along(made, "data and tensor", WHOLE);
      expert = mesh.expert() == 1 ? new SingleRank("expert") : expertGroup(made);
      expertReplicas = mesh.expert() == 1 ? whole : expertReplicas(made);
      replicas = along(made, "replicas", EnumSet.of(Axis.REPLICATE));
      cutShards = along(made, "shard", EnumSet.of(Axis.SHARD, Axis.CONTEXT));
      wholeShards =
          along(made, "shard and tensor", EnumSet.of(Axis.SHARD, Axis.CONTEXT, Axis.TENSOR));
      expertShards = expertShards(made);
      ends = first == last ? new SingleRank("ends") : ends(made, first, last);
      owned = made.release();
    }
  }

  /** The ranks of a data-parallel run alone. */
  public static MeshGroups ofData(Communicator world) {
    return new MeshGroups(new Mesh(1, 1, world.size(), 1, 1, 1), world);
  }

  private Communicator along(Resources made, String name, Set<Axis> axes) {
    Set<Axis> real = EnumSet.copyOf(axes);
    real.removeIf(axis -> mesh.size(axis) == 1);
    Communicator known = along.get(real);
    if (known == null) {
      List<Integer> members = mesh.group(world.rank(), real);
      known =
          members.size() == 1
              ? new SingleRank(name)
              : members.size() == mesh.size() ? world : made.own(world.group(name, members));
      along.put(real, known);
    }
    return known;
  }

  private Communicator expertGroup(Resources made) {
    if (mesh.expert() == mesh.tensor()) {
      return tensor;
    }
    return made.own(world.group("expert", mesh.expertGroup(world.rank())));
  }

  private Communicator expertReplicas(Resources made) {
    return ofExperts(made, "expert replicas", mesh.expertReplicas(world.rank()));
  }

  private Communicator expertShards(Resources made) {
    if (mesh.expert() == 1) {
      return wholeShards;
    }
    return mesh.replicate() == 1
        ? expertReplicas
        : ofExperts(made, "expert shard", mesh.expertShards(world.rank()));
  }

  private Communicator ofExperts(Resources made, String name, List<Integer> members) {
    return members.size() == 1 ? new SingleRank(name) : made.own(world.group(name, members));
  }

  /** Who runs the first and the last stage of each pipeline; the others are alone. */
  private Communicator ends(Resources made, int first, int last) {
    if (mesh.pipeline() == 2) {
      return pipeline;
    }
    int own = mesh.coordinate(world.rank(), Axis.PIPELINE);
    List<Integer> ranks = mesh.group(world.rank(), EnumSet.of(Axis.PIPELINE));
    List<Integer> members =
        own == first || own == last
            ? List.of(ranks.get(Math.min(first, last)), ranks.get(Math.max(first, last)))
            : List.of(world.rank());
    return made.own(world.group("ends of the pipeline", members));
  }

  /** The mesh. */
  public Mesh mesh() {
    return mesh;
  }

  /** All ranks; borrowed. */
  public Communicator world() {
    return world;
  }

  /** Where this rank stands along an axis. */
  public int coordinate(Axis axis) {
    return mesh.coordinate(world.rank(), axis);
  }

  /** The stages, in their order. */
  public Communicator pipeline() {
    return pipeline;
  }

  /** Ranks with the same part of the weights that tensor parallelism cuts. */
  public Communicator cut() {
    return cut;
  }

  /** Ranks with the same weights of those that are not cut: all of a stage. */
  public Communicator whole() {
    return whole;
  }

  /** Ranks that share each sequence and each product: what they see together is a micro-batch. */
  public Communicator sequence() {
    return sequence;
  }

  /** Ranks that share each sequence. */
  public Communicator context() {
    return context;
  }

  /** Ranks that share each product. */
  public Communicator tensor() {
    return tensor;
  }

  /** Ranks over which one copy of the experts is spread. */
  public Communicator expert() {
    return expert;
  }

  /** Ranks with the same experts. */
  public Communicator expertReplicas() {
    return expertReplicas;
  }

  /** Of {@link #cut}, those of one replica: they share these weights' states out. */
  public Communicator cutShards() {
    return cutShards;
  }

  /** Of {@link #whole}, those of one replica. */
  public Communicator wholeShards() {
    return wholeShards;
  }

  /** Of {@link #expertReplicas}, those of one replica. */
  public Communicator expertShards() {
    return expertShards;
  }

  /** Ranks that stand at the same place of each replica, and so have the same shards. */
  public Communicator replicas() {
    return replicas;
  }

  /**
   * The ranks of the first and the last stage, which both have the embedding; a rank alone where it
   * runs neither, or both.
   */
  public Communicator ends() {
    return ends;
  }

  /**
   * Neighbours among the tensor ranks that hold copies of the same heads. Collective; the caller
   * closes it.
   *
   * @param copies how many neighbours
   */
  public Communicator headCopies(int copies) {
    if (copies == 1) {
      return new SingleRank("copies of heads");
    }
    int first = world.rank() - coordinate(Axis.TENSOR) % copies;
    return world.group("copies of heads", IntStream.range(first, first + copies).boxed().toList());
  }

  @Override
  public void close() {
    owned.close();
  }
}
