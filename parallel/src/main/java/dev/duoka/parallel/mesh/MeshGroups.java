package dev.duoka.parallel.mesh;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.parallel.mesh.Mesh.Axis;
import java.util.EnumSet;
import java.util.Set;

/**
 * One rank's communicators along the axes of a mesh. Three of them sum gradients, for three kinds
 * of weights: {@link #cut} those that tensor parallelism cuts, {@link #whole} those that every
 * tensor rank holds and, under sequence parallelism, applies to other tokens, and {@link
 * #expertReplicas} experts. Owns the communicators; the world is the caller's. One thread.
 */
public final class MeshGroups implements AutoCloseable {
  private static final Set<Axis> CUT = EnumSet.of(Axis.REPLICATE, Axis.SHARD, Axis.CONTEXT);
  private static final Set<Axis> WHOLE =
      EnumSet.of(Axis.REPLICATE, Axis.SHARD, Axis.CONTEXT, Axis.TENSOR);

  private final Mesh mesh;
  private final Communicator world;
  private final Communicator pipeline;
  private final Communicator cut;
  private final Communicator whole;
  private final Communicator context;
  private final Communicator tensor;
  private final Communicator expert;
  private final Communicator expertReplicas;
  private final Resources owned;

  /**
   * Splits the world along the axes. Collective.
   *
   * @param world as many ranks as the mesh has
   */
  public MeshGroups(Mesh mesh, Communicator world) {
    if (world.size() != mesh.size()) {
      throw new IllegalArgumentException(
          "a mesh of " + mesh.size() + " ranks for a world of " + world.size());
    }
    this.mesh = mesh;
    this.world = world;
    try (Resources made = new Resources()) {
      pipeline = made.own(along("pipeline", EnumSet.of(Axis.PIPELINE)));
      cut = made.own(along("data", CUT));
      whole = made.own(along("data and tensor", WHOLE));
      context = made.own(along("context", EnumSet.of(Axis.CONTEXT)));
      tensor = made.own(along("tensor", EnumSet.of(Axis.TENSOR)));
      expert = made.own(split("expert", mesh.expertGroup(world.rank()).getFirst()));
      expertReplicas = made.own(split("expert replicas", firstReplica()));
      owned = made.release();
    }
  }

  private int firstReplica() {
    return mesh.expertReplicas(world.rank()).getFirst();
  }

  private Communicator along(String name, Set<Axis> axes) {
    return split(name, mesh.color(world.rank(), axes));
  }

  private Communicator split(String name, int color) {
    return world.split(name, color, world.rank());
  }

  /** The mesh. */
  public Mesh mesh() {
    return mesh;
  }

  /** All ranks; borrowed. */
  public Communicator world() {
    return world;
  }

  /** The stages, in their order. */
  public Communicator pipeline() {
    return pipeline;
  }

  /** Ranks with the same part of the weights that tensor parallelism cuts. */
  public Communicator cut() {
    return cut;
  }

  /** Ranks with the same weights of those that are not cut. */
  public Communicator whole() {
    return whole;
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

  @Override
  public void close() {
    owned.close();
  }
}
