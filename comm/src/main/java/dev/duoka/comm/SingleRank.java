package dev.duoka.comm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A group of one: what it collects it has already. */
public final class SingleRank implements Communicator, Agreement {
  private final String name;
  private final Consumer<String> abort;

  /** The world of one rank. */
  public SingleRank() {
    this("world");
  }

  /** A group of one rank that is alone. */
  public SingleRank(String name) {
    this(name, _ -> {});
  }

  /**
   * A group of one rank within a larger world.
   *
   * @param abort ends all exchange in that world
   */
  public SingleRank(String name, Consumer<String> abort) {
    this.name = name;
    this.abort = abort;
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public RankGroup ranks() {
    return new RankGroup(name, List.of());
  }

  @Override
  public Pending allReduce(Tensor tensor) {
    return Pending.DONE;
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    return copy(shard, full);
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return copy(full, shard);
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return copy(receive, send);
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return Pending.DONE;
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    throw alone();
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    throw alone();
  }

  @Override
  public Communicator split(String name, int color, int key) {
    return new SingleRank(name, abort);
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
  public void sum(double[] values) {}

  @Override
  public void barrier() {}

  @Override
  public void abort(String reason) {
    abort.accept(reason);
  }

  @Override
  public void close() {}

  private static Pending copy(Tensor target, Tensor source) {
    if (!target.device().isMeta() && Views.addressOf(target) != Views.addressOf(source)) {
      Copies.into(target, source);
    }
    return Pending.DONE;
  }

  private DuokaException alone() {
    return new DuokaException(
        ErrorCode.RANK_LOST, "the only rank of " + name + " has nobody to send to", "");
  }
}
