package dev.duoka.parallel.proof;

import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.Operation;
import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.comm.RankGroup;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A communicator that does one operation of one group wrongly, and all others as they should be: as
 * if the program had forgotten that exchange. The ranks stay in step. What looks for faults is
 * tried with it.
 *
 * @param whole does the exchanges
 * @param group whose operation is wrong
 * @param purpose of the exchanges that are wrong: those for which this says what they are for
 * @param fault what is done instead
 */
public record FaultyCommunicator(
    Communicator whole, String group, Operation operation, String purpose, Fault fault)
    implements Communicator {
  /** What is done instead of an exchange. */
  public enum Fault {
    /** Nothing comes from other ranks. */
    FORGOTTEN,
    /** A sum is made twice: of sums. */
    TWICE
  }

  /** All exchanges of an operation are forgotten. */
  public FaultyCommunicator(Communicator whole, String group, Operation operation) {
    this(whole, group, operation, "", Fault.FORGOTTEN);
  }

  private boolean isWrong(Operation asked) {
    return asked == operation && whole.name().equals(group) && Purpose.current().contains(purpose);
  }

  private FaultyCommunicator over(Communicator other) {
    return new FaultyCommunicator(other, group, operation, purpose, fault);
  }

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
  public void notes(Exchange call) {
    whole.notes(call);
  }

  /** Wrong: every rank keeps its own, or all add sums. */
  @Override
  public Pending allReduce(Tensor tensor) {
    if (!isWrong(Operation.ALL_REDUCE)) {
      return whole.allReduce(tensor);
    }
    if (fault == Fault.TWICE) {
      whole.allReduce(tensor).join();
      return whole.allReduce(tensor);
    }
    try (Scope _ = Scope.open()) {
      whole.allReduce(copy(tensor)).join();
      return Pending.DONE;
    }
  }

  /** Wrong: every rank keeps its own part of its own. */
  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    if (!isWrong(Operation.REDUCE_SCATTER)) {
      return whole.reduceScatter(full, shard);
    }
    try (Scope _ = Scope.open()) {
      Tensor own = Views.reshape(copy(full), -1);
      whole.reduceScatter(copy(full), copy(shard)).join();
      long length = shard.elements();
      Copies.into(Views.reshape(shard, -1), Views.narrow(own, 0, rank() * length, length));
      return Pending.DONE;
    }
  }

  /** Wrong: every rank has its own part again and again. */
  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    if (!isWrong(Operation.ALL_GATHER)) {
      return whole.allGather(shard, full);
    }
    try (Scope _ = Scope.open()) {
      Tensor own = Views.reshape(copy(shard), -1);
      whole.allGather(copy(shard), copy(full)).join();
      Tensor flat = Views.reshape(full, -1);
      for (int part = 0; part < size(); part++) {
        Copies.into(Views.narrow(flat, 0, part * own.size(0), own.size(0)), own);
      }
      return Pending.DONE;
    }
  }

  /** Wrong: zeros arrive. */
  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    Pending pending = whole.allToAll(send, sendRows, receive, receiveRows);
    if (isWrong(Operation.ALL_TO_ALL)) {
      pending.join();
      Tensors.zero(receive);
    }
    return pending;
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return whole.broadcast(tensor, root);
  }

  /** Wrong: what is sent is zero when it is sent. */
  @Override
  public Pending send(Tensor tensor, int to) {
    if (isWrong(Operation.SEND)) {
      Tensors.zero(tensor);
    }
    return whole.send(tensor, to);
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    return whole.receive(tensor, from);
  }

  @Override
  public Communicator split(String name, int color, int key) {
    return over(whole.split(name, color, key));
  }

  @Override
  public Communicator group(String name, List<Integer> members) {
    return over(whole.group(name, members));
  }

  @Override
  public @Nullable Throwable failure() {
    return whole.failure();
  }

  /** Wrong: every rank keeps its own numbers. */
  @Override
  public Agreement agreement() {
    if (!isWrong(Operation.AGREE)) {
      return whole.agreement();
    }
    return new Agreement() {
      @Override
      public void sum(double[] values) {
        whole.agreement().sum(values.clone());
      }

      @Override
      public void barrier() {
        whole.agreement().barrier();
      }
    };
  }

  @Override
  public void abort(String reason) {
    whole.abort(reason);
  }

  @Override
  public void close() {
    whole.close();
  }

  private static Tensor copy(Tensor tensor) {
    Tensor copy = Tensors.empty(tensor.dtype(), tensor.device(), tensor.shape());
    Copies.into(copy, tensor);
    return copy;
  }
}
