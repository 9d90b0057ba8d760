package dev.duoka.comm;

import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rank's view of a group of ranks that exchange tensors. Collectives, {@link #split} and the
 * agreement's methods are called by all ranks of the group in the same order; {@link #send} and
 * {@link #receive} by two of them, {@link #abort} by any. Tensors are dense, and of one dtype and
 * size on all ranks. A rank that calls something else than the others gets a {@code RANK_LOST}
 * which names both calls.
 *
 * <p>Collectives are launched, not finished, when a method returns: what they read and write may be
 * touched again after {@link Pending#join}. Sums are added in the order of the ranks, so that every
 * rank has the same bits. If a rank fails, the others' pending and later calls throw {@code
 * RANK_LOST}.
 *
 * <p>One thread, that of its rank. Whoever splits a group closes the part; the world is closed by
 * what started the ranks.
 */
public interface Communicator extends AutoCloseable {
  /** This rank's number within the group, from 0. */
  int rank();

  /** How many ranks the group has. */
  int size();

  /** The group, for errors and ledgers. */
  RankGroup ranks();

  /** What the group is for, for example {@code world} or {@code tensor}. */
  default String name() {
    return ranks().name();
  }

  /**
   * Notes a call that these ranks make by another communicator, which carries it out: errors about
   * this rank then say so.
   */
  default void notes(Exchange call) {}

  /** Replaces {@code tensor} by the sum over all ranks. */
  Pending allReduce(Tensor tensor);

  /**
   * Sums over all ranks and leaves each with its part.
   *
   * @param full length {@code size · shard}; contents are undefined afterwards
   * @param shard receives part number {@link #rank} of the sum; may be that part of {@code full}
   */
  Pending reduceScatter(Tensor full, Tensor shard);

  /**
   * Collects every rank's part.
   *
   * @param shard this rank's part; may be its place in {@code full}
   * @param full receives all parts in the order of the ranks
   */
  Pending allGather(Tensor shard, Tensor full);

  /**
   * Sends rows to each rank and receives rows from each.
   *
   * @param send {@code [Σ sendRows, ...]}, for rank 0 first
   * @param sendRows how many rows go to each rank
   * @param receive {@code [Σ receiveRows, ...]}, from rank 0 first
   * @param receiveRows how many rows come from each rank: what that rank sends here
   */
  Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows);

  /** Replaces {@code tensor} by that of rank {@code root}. */
  Pending broadcast(Tensor tensor, int root);

  /** Sends a tensor to one rank, which calls {@link #receive}; the other ranks call neither. */
  Pending send(Tensor tensor, int to);

  /** Receives a tensor of this shape from one rank, which calls {@link #send}. */
  Pending receive(Tensor tensor, int from);

  /**
   * Divides the group: ranks of the same {@code color} are a group of their own, in the order of
   * {@code key} (then of rank). All ranks call it.
   */
  Communicator split(String name, int color, int key);

  /**
   * A group of some of these ranks, in the order of their numbers. All ranks call it, each with the
   * group that it is in; no rank is in two.
   *
   * @param members numbers within this group, ascending
   */
  default Communicator group(String name, List<Integer> members) {
    return split(name, members.getFirst(), rank());
  }

  /** Why the exchange has ended for good, in every group; null while it may go on. Never waits. */
  @Nullable Throwable failure();

  /**
   * Has exchanges that run on a stream of their own be marked; null for no longer. Does nothing
   * where they run on the rank's stream.
   */
  default void markWith(@Nullable ExchangeMarks marks) {}

  /** What the hosts of these ranks agree on without their devices. */
  Agreement agreement();

  /**
   * After a failure, lets the exchange begin again in every group, if each of these ranks takes
   * back what it was about. Called by all ranks of the world after a call has thrown {@code
   * RANK_LOST}, or after one of them has failed by itself; waits until all have called it, or one
   * has ended. What was launched before and not joined is forgotten.
   *
   * <p>Only ranks whose hosts meet in every exchange can do that. Elsewhere a host may have
   * launched its update before it learns of the failure; its stream, released in mid-exchange,
   * makes that update with sums that are not complete.
   *
   * @param own what this rank itself has failed with; null where it was another's failure
   * @param willing whether this rank can take back what it was about
   * @return true on all ranks, and then they exchange again, or false on all: when one is unwilling
   *     or has ended, or none has failed by itself
   */
  default boolean renew(@Nullable Throwable own, boolean willing) {
    return false;
  }

  /**
   * Ends all exchange for good, in every group, unless all ranks {@link #renew} it: the other
   * ranks' pending and later calls throw {@code RANK_LOST} with this reason. The only method that
   * one rank may call alone. On return nobody reads what this rank has sent, so that it may free
   * its tensors: a rank that fails with messages on their way calls this first.
   */
  void abort(String reason);

  /** Frees what this rank keeps for the group. Local: the other ranks are not asked. */
  @Override
  void close();
}
