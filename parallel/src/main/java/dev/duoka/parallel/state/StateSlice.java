package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * The part of a bucket that this rank updates, with its optimizer states: all of it, or the rank's
 * shard. Owns views and states; keeps the bucket's memory alive until it is closed.
 */
public final class StateSlice implements AutoCloseable {
  private final Bucket bucket;
  private final Communicator group;
  private final boolean sharded;
  private final long offset;
  private final long length;
  private final boolean holdsWholeValues;
  private final boolean keepsWholeGradients;
  private final Tensor values;
  private final Tensor gradients;
  private final AdamW states;

  /**
   * A rank's slice of a bucket.
   *
   * @param group the ranks that the bucket's gradients are summed over
   * @param shard whether each of them updates a shard alone
   * @param settings the constants of the update
   * @param of in which form and where the states are kept
   */
  StateSlice(
      Bucket bucket, Communicator group, boolean shard, AdamWSettings settings, StateSettings of) {
    this.bucket = bucket;
    this.group = group;
    this.sharded = shard && group.size() > 1;
    if (sharded && bucket.shards() != group.size()) {
      throw new IllegalArgumentException(
          "a store of " + bucket.shards() + " shards for " + group.size() + " ranks");
    }
    this.length = sharded ? bucket.shardLength() : bucket.length();
    this.offset = sharded ? group.rank() * length : 0;
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      Tensor ofValues =
          bucket.hasValues()
              ? Views.narrow(bucket.values(), 0, offset, length)
              : shard(MemoryOwner.WEIGHTS, bucket.key().dtype());
      Tensor ofGradients =
          bucket.hasGradients()
              ? Views.narrow(bucket.gradients(), 0, offset, length)
              : shard(MemoryOwner.GRADIENTS, bucket.gradientDtype());
      holdsWholeValues = bucket.hasValues();
      keepsWholeGradients = bucket.hasGradients();
      states =
          new AdamW(
              ofValues,
              ofGradients,
              settings,
              new AdamW.States(
                  of.form(), of.seed(), SliceElements.of(bucket.parameters(), offset, length)));
      values = Scope.detach(ofValues);
      gradients = Scope.detach(ofGradients);
    }
  }

  private Tensor shard(MemoryOwner owner, Dtype dtype) {
    try (Scope scope = Scope.open(owner)) {
      return scope.keep(Tensors.zeros(dtype, bucket.device(), length));
    }
  }

  /** Whether the bucket's values are here all the time, and this is a view of them. */
  boolean holdsWholeValues() {
    return holdsWholeValues;
  }

  /** Whether the bucket's gradients are here all the time, and this is a view of them. */
  boolean keepsWholeGradients() {
    return keepsWholeGradients;
  }

  /** The bucket that it is a part of. */
  public Bucket bucket() {
    return bucket;
  }

  /** The ranks that the bucket's gradients are summed over. */
  Communicator group() {
    return group;
  }

  /** Whether the other ranks of the group have other slices. */
  public boolean isSharded() {
    return sharded;
  }

  /** Whether norms count it here and checkpoints keep it: one rank of those that update it does. */
  public boolean isCounted() {
    return sharded || group.rank() == 0;
  }

  /** Where it starts in the bucket, in elements. */
  public long offset() {
    return offset;
  }

  /** Its length in elements. */
  public long length() {
    return length;
  }

  /** The compute weights: a view of the bucket's, or a shard of its own. */
  Tensor values() {
    return values;
  }

  /** The gradients: a view of the bucket's, or a shard of their own. */
  public Tensor gradients() {
    return gradients;
  }

  /** Master weights and moments, laid out as the slice. */
  public AdamW states() {
    return states;
  }

  @Override
  public void close() {
    states.close();
    values.close();
    gradients.close();
  }
}
