package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.tensor.Tensor;

/** What a rank keeps of a bucket's values: all, or a shard (ZeRO stage 3). */
public interface ValueShard {
  /** The bucket that it is a part of. */
  Bucket bucket();

  /** The ranks that have the other shards. */
  Communicator group();

  /** The values, {@code [length]}. */
  Tensor values();

  /** Where it starts in the bucket, in elements. */
  long offset();

  /** Its length in elements. */
  long length();
}
