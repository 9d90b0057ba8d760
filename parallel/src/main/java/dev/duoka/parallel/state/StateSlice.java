package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The part of a bucket that this rank updates, with its optimizer states: all of it, or the rank's
 * shard. States are here, or in host memory, where they are updated or from where they pass
 * through. Owns views and states; keeps the bucket's memory alive until it is closed.
 */
public final class StateSlice implements ValueShard, AutoCloseable {
  private final Bucket bucket;
  private final Communicator group;
  private final Communicator replicas;
  private final boolean sharded;
  private final long offset;
  private final long length;
  private final boolean keepsWholeGradients;
  private final boolean holdsWholeValues;

  /** All weights of the bucket, where the bucket asks for them here; null elsewhere. */
  private final @Nullable Tensor wholeValues;

  private final Tensor values;
  private final Tensor gradients;
  private final @Nullable AdamW own;
  private final @Nullable HostStates host;
  private final @Nullable PassingStates passing;
  private final Resources owned;
  private boolean mustGather;
  private Pending gathered = Pending.DONE;

  /**
   * How a bucket is shared.
   *
   * @param group the ranks that its gradients are summed over first
   * @param replicas the ranks that their sums are summed over then
   * @param states whether each of them updates a shard alone
   * @param values whether each of them keeps the weights of its shard alone
   */
  record Sharing(Communicator group, Communicator replicas, boolean states, boolean values) {}

  /**
   * A rank's slice of a bucket.
   *
   * @param settings the constants of the update
   * @param of in which form the states are kept
   * @param worker works on states in host memory; null where that updates none
   * @param passage the way of states from host memory and back; null where none take it
   */
  StateSlice(
      Bucket bucket,
      Sharing sharing,
      AdamWSettings settings,
      StateSettings of,
      @Nullable HostWorker worker,
      @Nullable StatePassage passage) {
    this.bucket = bucket;
    this.group = sharing.group();
    this.replicas = sharing.replicas();
    this.sharded = sharing.states() && group.size() > 1;
    if (sharded && bucket.shards() != group.size()) {
      throw new IllegalArgumentException(
          "a store of " + bucket.shards() + " shards for " + group.size() + " ranks");
    }
    this.length = sharded ? bucket.shardLength() : bucket.length();
    this.offset = sharded ? group.rank() * length : 0;
    boolean shardsValues = sharded && sharing.values();
    keepsWholeGradients = bucket.hasGradients();
    holdsWholeValues = !shardsValues;
    try (Resources made = new Resources()) {
      wholeValues =
          holdsWholeValues && !bucket.hasValues()
              ? made.own(zeros(MemoryOwner.WEIGHTS, bucket.key().dtype(), bucket.length()))
              : null;
      values = made.own(ownValues());
      AdamW.States states =
          new AdamW.States(
              of.form(), of.seed(), SliceElements.of(bucket.parameters(), offset, length));
      if (worker == null) {
        host = null;
        gradients =
            made.own(
                keepsWholeGradients
                    ? Views.narrow(bucket.gradients(), 0, offset, length)
                    : zeros(MemoryOwner.GRADIENTS, bucket.gradientDtype(), length));
        own = passage == null ? made.own(new AdamW(values, gradients, settings, states)) : null;
        passing =
            passage == null
                ? null
                : made.own(new PassingStates(passage, values, gradients, settings, states));
      } else {
        host = made.own(new HostStates(worker, values, bucket.gradientDtype(), settings, states));
        gradients = host.gradients();
        own = null;
        passing = null;
      }
      owned = made.release();
    }
    if (wholeValues != null) {
      bucket.valuesFrom(this::arriveWhole);
    }
  }

  private Tensor ownValues() {
    if (wholeValues != null) {
      return detached(wholeValues);
    }
    return bucket.hasValues()
        ? detached(bucket.values())
        : zeros(MemoryOwner.WEIGHTS, bucket.key().dtype(), length);
  }

  private Tensor detached(Tensor whole) {
    return Scope.detach(Views.narrow(whole, 0, offset, length));
  }

  private Tensor zeros(MemoryOwner owner, Dtype dtype, long elements) {
    try (Scope _ = Scope.open(owner)) {
      return Scope.detach(Tensors.zeros(dtype, bucket.device(), elements));
    }
  }

  /** Whether the bucket's values are here all the time, and {@link #values} is a view of them. */
  boolean holdsWholeValues() {
    return holdsWholeValues;
  }

  /** Whether the bucket's gradients are here all the time, and these are a view of them. */
  boolean keepsWholeGradients() {
    return keepsWholeGradients;
  }

  /** Whether states and gradients are in host memory, which updates them. */
  boolean isOnHost() {
    return host != null;
  }

  /** Whether states are in host memory, from where they pass through the device. */
  boolean passes() {
    return passing != null;
  }

  /** The bucket that it is a part of. */
  @Override
  public Bucket bucket() {
    return bucket;
  }

  /** The ranks that the bucket's gradients are summed over first. */
  @Override
  public Communicator group() {
    return group;
  }

  /** The ranks with the same slice, over which the sums of their groups are summed then. */
  Communicator replicas() {
    return replicas;
  }

  /** Whether the other ranks of the group have other slices. */
  public boolean isSharded() {
    return sharded;
  }

  /** Whether norms count it here and checkpoints keep it: one rank of those that update it does. */
  public boolean isCounted() {
    return replicas.rank() == 0 && (sharded || group.rank() == 0);
  }

  /** Where it starts in the bucket, in elements. */
  @Override
  public long offset() {
    return offset;
  }

  /** Its length in elements. */
  @Override
  public long length() {
    return length;
  }

  /** The compute weights: a view of the bucket's, or a shard of its own. */
  @Override
  public Tensor values() {
    arrive();
    return values;
  }

  /** The gradients: a view of the bucket's, a shard of their own, or in host memory. */
  public Tensor gradients() {
    arrive(); // an update on its way reads or changes them
    return gradients;
  }

  /** Lets the calling thread's stream wait for an update of the slice that is on its way. */
  void arrive() {
    if (host != null) {
      host.arrive();
    }
    if (passing != null) {
      passing.arrive();
    }
  }

  /** Sends gradients to the host, as {@link HostStates#collect}. */
  HostTransfer.Mark collect(Tensor part, boolean fresh, boolean last) {
    return ofHost().collect(part, fresh, last);
  }

  /** The states in host memory. */
  HostStates ofHost() {
    return Objects.requireNonNull(host, "the states are here");
  }

  /**
   * Master weights and moments, laid out as the slice; waits for them where they live in host
   * memory.
   */
  public AdamW states() {
    return passing != null
        ? passing.states()
        : host == null ? Objects.requireNonNull(own) : host.states();
  }

  /** The same for what does not read them: states that pass through are not waited for. */
  AdamW unread() {
    return passing == null ? states() : passing.onTheirWay();
  }

  /** Launches an update as {@link AdamW#launch}; of states that are not updated by the host. */
  void launch(AdamW.Update update, Tensor squaredNorm) {
    if (passing != null) {
      passing.launch(update, squaredNorm);
    } else {
      states().launch(update, squaredNorm);
    }
  }

  /**
   * Updates without our kernels, or has the host do so.
   *
   * @param factor what the gradients are multiplied by
   * @param after what still uses the weights
   */
  void update(AdamW.Update update, double factor, HostTransfer.Mark after) {
    if (host != null) {
      host.update(update, factor, after);
    } else if (passing != null) {
      passing.update(update, factor);
    } else {
      states().update(update, factor);
    }
  }

  /** Makes the compute weights of the slice what their masters are. */
  void publish() {
    if (host != null) {
      host.publish();
    } else if (passing != null) {
      passing.publish();
    } else {
      states().publish();
    }
  }

  /** Takes over the compute weights of the slice; the opposite of {@link #publish}. */
  void adoptValues() {
    if (host != null) {
      host.adoptValues();
    } else if (passing != null) {
      passing.adoptValues();
    } else {
      states().adoptValues();
    }
  }

  /**
   * Lets whoever uses the bucket's weights next wait for them; for {@link #valuesComeLater}. Those
   * of other ranks are on their way from now on, unless this rank's own come from host memory: then
   * they are gathered when they are asked for. Collective where they are sharded.
   */
  void expectValues() {
    bucket.awaitValues();
    mustGather = sharded && own == null;
    if (sharded && own != null) {
      gathered = group.allGather(values, Objects.requireNonNull(wholeValues));
    }
  }

  /** Lets the calling thread's stream wait for weights that are on their way from other ranks. */
  void joinGathered() {
    gathered.join();
    gathered = Pending.DONE;
  }

  /** Whether whole weights are waited for when they are asked for, not when they are updated. */
  boolean valuesComeLater() {
    return wholeValues != null;
  }

  /** Whether its ranks gather whole weights one by one, when each asks for them. */
  boolean gathersWhenAsked() {
    return wholeValues != null && own == null;
  }

  private Tensor arriveWhole() {
    Tensor whole = Objects.requireNonNull(wholeValues);
    joinGathered();
    Tensor mine = values();
    if (mustGather) {
      group.allGather(mine, whole).join();
      mustGather = false;
    }
    return whole;
  }

  @Override
  public void close() {
    if (wholeValues != null) {
      if (gathered.failure() == null) {
        joinGathered(); // memory that is still written into is given to nobody
      }
      bucket.releaseValues();
    }
    owned.close();
  }
}
