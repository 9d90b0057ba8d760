package dev.duoka.parallel.proof;

import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankGroup;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A communicator whose exchanges a {@link Mistake} makes, in all groups that come from it.
 *
 * @param whole does what it is asked to
 */
record MistakenCommunicator(Communicator whole, Mistake mistake) implements Communicator {
  @Override
  public int rank() {
    return whole.rank();
  }

  @Override
  public int size() {
    return whole.size();
  }

  @Override
  public RankGroup ranks() {
    return whole.ranks();
  }

  @Override
  public Pending allReduce(Tensor tensor) {
    return mistake.allReduce(whole, tensor);
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    return mistake.reduceScatter(whole, full, shard);
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return mistake.allGather(whole, shard, full);
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return mistake.allToAll(whole, send, sendRows, receive, receiveRows);
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return whole.broadcast(tensor, root);
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    return mistake.send(whole, tensor, to);
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    return mistake.receive(whole, tensor, from);
  }

  @Override
  public Communicator split(String name, int color, int key) {
    return new MistakenCommunicator(whole.split(name, color, key), mistake);
  }

  @Override
  public Communicator group(String name, List<Integer> members) {
    return new MistakenCommunicator(whole.group(name, members), mistake);
  }

  @Override
  public @Nullable Throwable failure() {
    return whole.failure();
  }

  @Override
  public Agreement agreement() {
    return whole.agreement();
  }

  @Override
  public void abort(String reason) {
    whole.abort(reason);
  }

  @Override
  public void close() {
    whole.close();
  }
}
