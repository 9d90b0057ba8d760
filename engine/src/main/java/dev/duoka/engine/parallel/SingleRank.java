package dev.duoka.engine.parallel;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;

/** The collectives of a group of one. */
public final class SingleRank implements Collectives {
  @Override
  public int rank() {
    return 0;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public void allReduce(Tensor tensor) {}

  @Override
  public void reduceScatter(Tensor full, Tensor shard) {
    Copies.into(shard, full);
  }

  @Override
  public void allGather(Tensor shard, Tensor full) {
    Copies.into(full, shard);
  }

  @Override
  public void allReduce(double[] values) {}

  @Override
  public void barrier() {}
}
