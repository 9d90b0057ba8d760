package dev.duoka.engine.parallel;

import dev.duoka.tensor.Tensor;

/**
 * Operations that all ranks of a group call together, in the same order. Tensors are dense and of
 * one dtype and size on all ranks. Sums are added in the order of the ranks, so that every rank has
 * the same bits.
 *
 * <p>If a rank fails, the others' pending and later calls throw {@code RANK_LOST}.
 */
public interface Collectives {
  /** This rank's number, from 0. */
  int rank();

  /** How many ranks the group has. */
  int size();

  /** Replaces {@code tensor} by the sum over all ranks. */
  void allReduce(Tensor tensor);

  /**
   * Sums over all ranks and leaves each with its part.
   *
   * @param full length {@code size · shard}; contents are undefined afterwards
   * @param shard receives part number {@link #rank} of the sum; may be that part of {@code full}
   */
  void reduceScatter(Tensor full, Tensor shard);

  /**
   * Collects every rank's part.
   *
   * @param shard this rank's part; may be its place in {@code full}
   * @param full receives all parts in the order of the ranks
   */
  void allGather(Tensor shard, Tensor full);

  /** Sums numbers over all ranks, in place. */
  void allReduce(double[] values);

  /** Waits until every rank is here. */
  void barrier();
}
