package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.engine.parameter.Bucket;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Over which ranks gradients are summed.
 *
 * @param of the ranks that hold the same weights as a bucket here and see other tokens
 * @param shards those of them that share the bucket's states out, where states are shared out
 * @param replicas ranks with the same shards, over which these are summed afterwards; alone where
 *     all of {@code of} share
 * @param copies neighbours that hold copies of some heads within their weights; alone where there
 *     are none
 * @param twin the rank of another stage that has the same bucket, with this one; empty for none
 * @param stage all ranks with the same layers
 * @param world all ranks of the model, over which the norm is taken
 * @param names of all weights of the whole model
 */
public record GradientGroups(
    Function<Bucket, Communicator> of,
    Function<Bucket, Communicator> shards,
    Communicator replicas,
    Communicator copies,
    Function<Bucket, Optional<Communicator>> twin,
    Communicator stage,
    Communicator world,
    List<String> names) {
  public GradientGroups {
    names = names.stream().sorted().toList();
  }

  /** One group for all weights. */
  public static GradientGroups of(Communicator data, List<String> names) {
    return new GradientGroups(
        _ -> data,
        _ -> data,
        new SingleRank("replicas"),
        new SingleRank("copies"),
        _ -> Optional.empty(),
        data,
        data,
        names);
  }
}
