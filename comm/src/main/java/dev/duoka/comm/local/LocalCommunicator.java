package dev.duoka.comm.local;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
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
import dev.duoka.comm.local.LocalGroup.Slot;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A rank that is a thread and reads the others' tensors directly. The hosts meet at each
 * collective, but none waits for a device: each rank's stream waits for marks on the others'
 * streams. What a collective launches, it launches on the rank's current stream, so {@link
 * Pending#join} of a collective has nothing to add.
 */
final class LocalCommunicator implements Communicator, Agreement {
  private final LocalGroup group;
  private final int rank;
  private final Slot mine;
  private final ExchangeLedger ledger;
  private int turn;
  private int beginnings;
  private long sequence;

  LocalCommunicator(LocalGroup group, int rank, ExchangeLedger ledger) {
    this.group = group;
    this.rank = rank;
    this.ledger = ledger;
    this.mine = group.slot(rank);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return group.size();
  }

  @Override
  public RankGroup ranks() {
    return group.ranks();
  }

  /** Each rank sums a stretch of its own in place, then all collect the others' stretches. */
  @Override
  public Pending allReduce(Tensor tensor) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor flat = Views.reshape(tensor, -1);
      return exchange(
          Operation.ALL_REDUCE,
          flat,
          -1,
          () -> {
            Stretch own = stretch(flat, rank);
            Tensor place = Views.narrow(flat, 0, own.start(), own.length());
            OrderedSum.into(place, published(), own);
            meetAgain(flat.device());
            for (int source = 0; source < size(); source++) {
              if (source != rank) {
                Stretch there = stretch(flat, source);
                Copies.into(
                    Views.narrow(flat, 0, there.start(), there.length()),
                    Views.narrow(published(source), 0, there.start(), there.length()));
              }
            }
          });
    }
  }

  private Stretch stretch(Tensor flat, int of) {
    return OrderedSum.stretch(flat.size(0), of, size());
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      long length = shard.elements();
      Tensor target = Views.reshape(shard, -1);
      return exchange(
          Operation.REDUCE_SCATTER,
          Views.reshape(full, -1),
          -1,
          () -> OrderedSum.into(target, published(), new Stretch(rank * length, length)));
    }
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor flat = Views.reshape(full, -1);
      long length = shard.elements();
      return exchange(
          Operation.ALL_GATHER,
          Views.reshape(shard, -1),
          -1,
          () -> {
            for (int source = 0; source < size(); source++) {
              Tensor place = Views.narrow(flat, 0, source * length, length);
              // A shard that lies in place already is not copied onto itself.
              if (source != rank || Views.addressOf(place) != Views.addressOf(shard)) {
                Copies.into(place, published(source));
              }
            }
          });
    }
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      mine.rows = sendRows.clone();
      return exchange(
          Operation.ALL_TO_ALL,
          send,
          -1,
          () -> {
            // All counts before the first copy: a wrong one must not reach beyond a tensor.
            for (int source = 0; source < size(); source++) {
              requireRows(source, receiveRows[source]);
            }
            long to = 0;
            for (int source = 0; source < size(); source++) {
              long rows = receiveRows[source];
              if (rows > 0) {
                long from = Arrays.stream(group.slot(source).rows, 0, rank).sum();
                Copies.into(
                    Views.narrow(receive, 0, to, rows),
                    Views.narrow(published(source), 0, from, rows));
              }
              to += rows;
            }
          });
    }
  }

  private void requireRows(int source, long expected) {
    long sent = group.slot(source).rows[rank];
    if (sent != expected) {
      throw new DuokaException(
          ErrorCode.RANK_LOST,
          "rank "
              + group.member(source)
              + " sends "
              + sent
              + " rows to rank "
              + group.member(rank)
              + ", which expects "
              + expected
              + " in "
              + called(),
          "");
    }
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      return exchange(
          Operation.BROADCAST,
          tensor,
          root,
          () -> {
            if (rank != root) {
              Copies.into(tensor, published(root));
            }
          });
    }
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    Exchange call = group.ranks().call(Operation.SEND, tensor, to);
    Message message = new Message(group, rank, to, tensor, call, completion(call));
    group.post(rank, to, message);
    return message;
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    Exchange call = group.ranks().call(Operation.RECEIVE, tensor, from);
    return new Reception(group, from, rank, tensor, call, completion(call));
  }

  @Override
  public Communicator split(String name, int color, int key) {
    mine.colorAndKey = new int[] {color, key};
    meet(group.ranks().call(Operation.SPLIT, 0, null, -1));
    List<Integer> ranks =
        IntStream.range(0, size())
            .filter(other -> group.slot(other).colorAndKey[0] == color)
            .boxed()
            .sorted(Comparator.comparingInt(other -> group.slot(other).colorAndKey[1]))
            .toList();
    LocalGroup child = group.child(color, name, ranks.stream().map(group::member).toList());
    finish();
    if (rank == 0) {
      group.forgetChildren();
    }
    return ranks.size() == 1
        ? new SingleRank(name, this::abort)
        : new LocalCommunicator(child, ranks.indexOf(rank), ledger);
  }

  @Override
  public void notes(Exchange call) {
    group.world().views().calls(group.member(rank), call);
  }

  @Override
  public @Nullable Throwable failure() {
    return group.world().failure();
  }

  @Override
  public Agreement agreement() {
    return this;
  }

  @Override
  public void sum(double[] values) {
    mine.numbers = values.clone();
    meet(group.ranks().call(Operation.AGREE, values.length, Dtype.FLOAT64, -1));
    for (int i = 0; i < values.length; i++) {
      double sum = 0;
      for (int other = 0; other < size(); other++) {
        sum += group.slot(other).numbers[i];
      }
      values[i] = sum;
    }
    finish();
  }

  @Override
  public void barrier() {
    meet(group.ranks().call(Operation.BARRIER, 0, null, -1));
    ledger.completed(sequence);
  }

  @Override
  public boolean renew(@Nullable Throwable own, boolean willing) {
    return group.world().renew(group.member(rank), own, willing);
  }

  @Override
  public void abort(String reason) {
    group.world().abort(group.member(rank), reason);
  }

  /**
   * A collective: shows the others this rank's tensor, launches {@code copies} of what they show
   * when all are here, and returns when all have launched theirs. Whoever fails stays until nobody
   * reads its tensor any more.
   */
  private Pending exchange(Operation operation, Tensor shown, int peer, Runnable copies) {
    Exchange call = group.ranks().call(operation, shown, peer);
    mine.tensor = shown;
    mine.ready.set(shown.device());
    announce(call);
    group.meetToRead(rank, call);
    try {
      requireSameCall(call);
      holdBackFor(shown.device(), slot -> slot.ready);
      copies.run();
      mine.done.set(shown.device());
      group.meet(rank, call);
      // Nobody may change what was shown before everybody has read it.
      holdBackFor(shown.device(), slot -> slot.done);
    } catch (Throwable t) { // of whatever kind: the tensor goes when the rank unwinds
      group.leaveBecauseOf(rank, t);
      throw t;
    }
    group.leave();
    ledger.completed(sequence);
    return Pending.DONE;
  }

  /** This rank's stream waits for the others' marks. */
  private void holdBackFor(Device device, Function<Slot, StreamMark> mark) {
    for (int other = 0; other < size(); other++) {
      if (other != rank) {
        mark.apply(group.slot(other)).holdBack(device);
      }
    }
  }

  /** Lets this rank's stream wait for what all have launched since they began. */
  private void meetAgain(Device device) {
    mine.ready.set(device);
    group.meet(rank, called());
    holdBackFor(device, slot -> slot.ready);
  }

  private void finish() {
    group.meet(rank, called());
    ledger.completed(sequence);
  }

  private Runnable completion(Exchange call) {
    long issued = ledger.issued(call);
    notes(call);
    return () -> ledger.completed(issued);
  }

  /** Waits for the others, who must have called the same. */
  private void meet(Exchange call) {
    announce(call);
    group.meet(rank, call);
    requireSameCall(call);
  }

  private void announce(Exchange call) {
    if (beginnings != group.beginnings()) { // a rank may have been one call ahead of another
      beginnings = group.beginnings();
      turn = 0;
    }
    sequence = ledger.issued(call);
    notes(call);
    turn ^= 1;
    mine.calls[turn] = call;
  }

  /** What this rank last announced. */
  private Exchange called() {
    return Objects.requireNonNull(mine.calls[turn]);
  }

  private void requireSameCall(Exchange call) {
    for (int other = 0; other < size(); other++) {
      @Nullable Exchange theirs = group.slot(other).calls[turn];
      if (theirs == null || !call.matches(theirs)) {
        throw new DuokaException(
            ErrorCode.RANK_LOST,
            "rank "
                + group.member(rank)
                + " is in "
                + call
                + ", but rank "
                + group.member(other)
                + " in "
                + theirs,
            "");
      }
    }
  }

  private Tensor published(int source) {
    return Objects.requireNonNull(group.slot(source).tensor);
  }

  private List<Tensor> published() {
    List<Tensor> tensors = new ArrayList<>();
    for (int source = 0; source < size(); source++) {
      tensors.add(published(source));
    }
    return tensors;
  }

  /** Nothing to free yet: others may still wait for this rank's marks, which the world keeps. */
  @Override
  public void close() {}
}
