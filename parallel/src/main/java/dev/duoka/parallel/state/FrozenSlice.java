package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * What a rank keeps of weights that are not trained: nothing but the values in the compute dtype,
 * of the whole bucket or, where its group shares the weights, a shard. Owns the shard, or the view
 * of the bucket's values.
 *
 * @param isCounted whether it is this rank, of those that keep the same, that checkpoints take them
 *     from
 */
public record FrozenSlice(
    Bucket bucket, Communicator group, Tensor values, long offset, boolean isCounted)
    implements ValueShard, AutoCloseable {
  /** Of a bucket that is not trained; a shard is allocated, of zeros. */
  static FrozenSlice of(Bucket bucket, GradientGroups groups) {
    if (bucket.hasValues()) {
      Communicator all = groups.of().apply(bucket);
      Tensor view = Scope.detach(Views.narrow(bucket.values(), 0, 0, bucket.length()));
      return new FrozenSlice(bucket, all, view, 0, all.rank() == 0);
    }
    Communicator group = groups.shards().apply(bucket);
    if (bucket.shards() != group.size()) {
      throw new IllegalArgumentException(
          "a store of " + bucket.shards() + " shards for " + group.size() + " ranks");
    }
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      long length = bucket.shardLength();
      return new FrozenSlice(
          bucket,
          group,
          Scope.detach(Tensors.zeros(bucket.key().dtype(), bucket.device(), length)),
          group.rank() * length,
          groups.replicas().rank() == 0);
    }
  }

  @Override
  public long length() {
    return values.size(0);
  }

  @Override
  public void close() {
    values.close();
  }
}
