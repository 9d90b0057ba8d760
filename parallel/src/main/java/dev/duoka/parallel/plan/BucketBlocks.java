package dev.duoka.parallel.plan;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.model.weight.BlockRange;
import java.util.List;

/**
 * Which blocks of a rank have their weights in one bucket, and so are gathered, and have their
 * gradients summed, by one exchange: so many neighbouring decoder layers of a stage, counted from
 * its first. The last bucket of a stage may have fewer. Embedding, output head and each module that
 * predicts further tokens have a bucket of their own, since their sizes are not those of layers.
 *
 * @param stages the blocks of each of the rank's stages; no bucket lies in two
 * @param layers decoder layers of the whole model
 * @param perBucket decoder layers in a bucket, at least 1
 */
public record BucketBlocks(List<BlockRange> stages, int layers, int perBucket) {
  /**
   * A rule for a rank.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} where a bucket would hold nothing
   */
  public BucketBlocks {
    stages = List.copyOf(stages);
    if (perBucket < 1) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot lay weights into buckets of " + perBucket + " blocks",
          "Set parallel.blocks_per_bucket to 1 or more");
    }
  }

  /** The first block of the bucket that has a block's weights; other blocks' own. */
  public int firstOf(int block) {
    int first = BlockRange.ofLayer(0);
    if (block < first || block >= BlockRange.ofLayer(layers)) {
      return block;
    }
    for (BlockRange stage : stages) {
      if (stage.contains(block)) {
        int start = Math.max(first, stage.first());
        return block - (block - start) % perBucket;
      }
    }
    return block;
  }

  /** How many buckets hold so many decoder layers of one stage. */
  public static int count(int layers, int perBucket) {
    return Math.ceilDiv(layers, perBucket);
  }
}
