package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;

/**
 * A rank's shard of weights that are not trained, where its group shares the weights: nothing but
 * the values in the compute dtype. Owns them.
 */
record FrozenShard(Bucket bucket, Communicator group, Tensor values)
    implements ValueShard, AutoCloseable {
  /** Allocates the shard, of zeros. */
  static FrozenShard of(Bucket bucket, Communicator group) {
    if (bucket.shards() != group.size()) {
      throw new IllegalArgumentException(
          "a store of " + bucket.shards() + " shards for " + group.size() + " ranks");
    }
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      return new FrozenShard(
          bucket,
          group,
          Scope.detach(Tensors.zeros(bucket.key().dtype(), bucket.device(), bucket.shardLength())));
    }
  }

  @Override
  public long offset() {
    return group.rank() * length();
  }

  @Override
  public long length() {
    return bucket.shardLength();
  }

  @Override
  public void close() {
    values.close();
  }
}
