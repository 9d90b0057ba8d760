package dev.duoka.comm.meta;

import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Operation;
import dev.duoka.comm.OrderedSum;
import dev.duoka.comm.OrderedSum.Stretch;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankGroup;
import dev.duoka.comm.SingleRank;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rank of a group whose other ranks do not exist: the communicator of a dry run on {@code
 * meta}. It books what the ranks of {@code local} book for their collectives, since it runs the
 * same code on shapes, and writes every call to a ledger.
 */
public final class MetaCommunicator implements Communicator, Agreement {
  private final RankGroup ranks;
  private final int rank;
  private final int size;
  private final ExchangeLedger ledger;

  /** Rank {@code rank} of a world of {@code size}. */
  public MetaCommunicator(int rank, int size, ExchangeLedger ledger) {
    this(RankGroup.WORLD, rank, size, ledger);
  }

  private MetaCommunicator(RankGroup ranks, int rank, int size, ExchangeLedger ledger) {
    this.ranks = ranks;
    this.rank = rank;
    this.size = size;
    this.ledger = ledger;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public RankGroup ranks() {
    return ranks;
  }

  @Override
  public Pending allReduce(Tensor tensor) {
    note(Operation.ALL_REDUCE, tensor, -1);
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor flat = Views.reshape(tensor, -1);
      Stretch own = OrderedSum.stretch(flat.size(0), rank, size);
      sum(Views.narrow(flat, 0, own.start(), own.length()), flat, own);
    }
    return Pending.DONE;
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    note(Operation.REDUCE_SCATTER, full, -1);
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      long length = shard.elements();
      sum(Views.reshape(shard, -1), Views.reshape(full, -1), new Stretch(rank * length, length));
    }
    return Pending.DONE;
  }

  private void sum(Tensor target, Tensor mine, Stretch stretch) {
    OrderedSum.into(target, Collections.nCopies(size, mine), stretch);
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return note(Operation.ALL_GATHER, shard, -1);
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return note(Operation.ALL_TO_ALL, send, -1);
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return note(Operation.BROADCAST, tensor, root);
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    return note(Operation.SEND, tensor, to);
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    return note(Operation.RECEIVE, tensor, from);
  }

  /** The same without the other ranks: their number is known. */
  @Override
  public Communicator group(String child, List<Integer> members) {
    note(ranks.call(Operation.SPLIT, 0, null, -1));
    return members.size() == 1
        ? new SingleRank(child)
        : new MetaCommunicator(
            new RankGroup(child, members.stream().map(ranks::member).toList()),
            members.indexOf(rank),
            members.size(),
            ledger);
  }

  /**
   * Cannot be asked: how many ranks have this color is not known without them. A dry run makes its
   * groups by {@link #group}.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public Communicator split(String childName, int color, int key) {
    throw new UnsupportedOperationException(
        "a dry run has no other ranks to ask for their color; make the group of known size");
  }

  @Override
  public @Nullable Throwable failure() {
    return null;
  }

  @Override
  public Agreement agreement() {
    return this;
  }

  @Override
  public void sum(double[] values) {
    note(ranks.call(Operation.AGREE, values.length, Dtype.FLOAT64, -1));
  }

  @Override
  public void barrier() {
    note(ranks.call(Operation.BARRIER, 0, null, -1));
  }

  @Override
  public void abort(String reason) {}

  @Override
  public void close() {}

  private Pending note(Operation operation, Tensor tensor, int peer) {
    return note(ranks.call(operation, tensor, peer));
  }

  private Pending note(Exchange exchange) {
    ledger.completed(ledger.issued(exchange));
    return Pending.DONE;
  }
}
