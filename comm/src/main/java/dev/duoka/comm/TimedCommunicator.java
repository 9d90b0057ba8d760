package dev.duoka.comm;

import dev.duoka.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Another communicator, the time of whose exchanges is noted. */
final class TimedCommunicator implements Communicator {
  private final Communicator ranks;
  private final ExposedTime time;

  TimedCommunicator(Communicator ranks, ExposedTime time) {
    this.ranks = ranks;
    this.time = time;
    time.register(this);
  }

  private Pending timed(Supplier<Pending> exchange) {
    int start = time.mark();
    Pending pending = exchange.get();
    time.note(name(), start);
    return pending.equals(Pending.DONE) ? pending : new Timed(pending);
  }

  private final class Timed implements Pending {
    private final Pending pending;

    Timed(Pending pending) {
      this.pending = pending;
    }

    @Override
    public void join() {
      int start = time.mark();
      pending.join();
      time.note(name(), start);
    }

    @Override
    public boolean isDone() {
      return pending.isDone();
    }

    @Override
    public @Nullable Throwable failure() {
      return pending.failure();
    }
  }

  @Override
  public boolean renew(@Nullable Throwable own, boolean willing) {
    return ranks.renew(own, willing);
  }

  @Override
  public void markWith(@Nullable ExchangeMarks marks) {
    ranks.markWith(marks);
  }

  @Override
  public int rank() {
    return ranks.rank();
  }

  @Override
  public int size() {
    return ranks.size();
  }

  @Override
  public RankGroup ranks() {
    return ranks.ranks();
  }

  @Override
  public void notes(Exchange call) {
    ranks.notes(call);
  }

  @Override
  public Pending allReduce(Tensor tensor) {
    return timed(() -> ranks.allReduce(tensor));
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    return timed(() -> ranks.reduceScatter(full, shard));
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return timed(() -> ranks.allGather(shard, full));
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return timed(() -> ranks.allToAll(send, sendRows, receive, receiveRows));
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return timed(() -> ranks.broadcast(tensor, root));
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    return timed(() -> ranks.send(tensor, to));
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    return timed(() -> ranks.receive(tensor, from));
  }

  @Override
  public Communicator split(String name, int color, int key) {
    return new TimedCommunicator(ranks.split(name, color, key), time);
  }

  @Override
  public Communicator group(String name, List<Integer> members) {
    return new TimedCommunicator(ranks.group(name, members), time);
  }

  @Override
  public @Nullable Throwable failure() {
    return ranks.failure();
  }

  @Override
  public Agreement agreement() {
    return ranks.agreement();
  }

  @Override
  public void abort(String reason) {
    ranks.abort(reason);
  }

  @Override
  public void close() {
    ranks.close();
  }
}
