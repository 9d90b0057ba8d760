package dev.duoka.engine.parallel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Collectives among threads of one process, which read each other's tensors directly. On CUDA each
 * rank waits for its own launches before the others read; ranks that share a GPU share its default
 * stream and need no waiting.
 */
final class ThreadCollectives implements Collectives {
  /** What the ranks of one group share. */
  static final class Shared {
    final Rendezvous rendezvous;
    final @Nullable Tensor[] tensors;
    final double[][] numbers;

    /** What each rank calls; two rows, because a rank may be one call ahead of another. */
    final @Nullable Call[][] calls;

    Shared(int size) {
      rendezvous = new Rendezvous(size);
      tensors = new @Nullable Tensor[size];
      numbers = new double[size][];
      calls = new @Nullable Call[2][size];
    }
  }

  /**
   * A collective and the size of its data: the same on all ranks, or their order has gone wrong.
   */
  record Call(String operation, long elements, @Nullable Dtype dtype) {
    @Override
    public String toString() {
      return operation + (elements == 0 ? "" : " of " + elements + " × " + dtype);
    }
  }

  private final int rank;
  private final Shared shared;
  private int turn;

  ThreadCollectives(int rank, Shared shared) {
    this.rank = rank;
    this.shared = shared;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return shared.tensors.length;
  }

  @Override
  public void allReduce(Tensor tensor) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor flat = Views.reshape(tensor, -1);
      publish("all-reduce", flat);
      Tensor sum = sumOf(0, flat.size(0));
      finishReading(flat.device());
      Copies.into(flat, sum);
      shared.rendezvous.await();
    }
  }

  @Override
  public void reduceScatter(Tensor full, Tensor shard) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long length = shard.elements();
      publish("reduce-scatter", full);
      Tensor sum = sumOf(rank * length, length);
      finishReading(full.device());
      Copies.into(shard, sum);
      shared.rendezvous.await();
    }
  }

  @Override
  public void allGather(Tensor shard, Tensor full) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long length = shard.elements();
      publish("all-gather", Views.reshape(shard, -1));
      for (int source = 0; source < size(); source++) {
        // A shard that lies in place already is not copied onto itself.
        if (source != rank || !isPlaceOf(full, source * length, shard)) {
          Copies.into(Views.narrow(full, 0, source * length, length), published(source));
        }
      }
      finishReading(full.device());
    }
  }

  @Override
  public void allReduce(double[] values) {
    shared.numbers[rank] = values.clone();
    meet(new Call("all-reduce of numbers", values.length, Dtype.FLOAT64));
    for (int i = 0; i < values.length; i++) {
      double sum = 0;
      for (double[] part : shared.numbers) {
        sum += part[i];
      }
      values[i] = sum;
    }
    shared.rendezvous.await();
  }

  @Override
  public void barrier() {
    meet(new Call("barrier", 0, null));
  }

  private void publish(String operation, Tensor tensor) {
    Streams.finish(tensor.device());
    shared.tensors[rank] = tensor;
    meet(new Call(operation, tensor.elements(), tensor.dtype()));
  }

  /** Waits for the others, who must have called the same. */
  private void meet(Call mine) {
    @Nullable Call[] calls = shared.calls[turn];
    turn ^= 1;
    calls[rank] = mine;
    shared.rendezvous.await();
    for (int other = 0; other < calls.length; other++) {
      if (!mine.equals(calls[other])) {
        throw new DuokaException(
            ErrorCode.RANK_LOST,
            "rank " + rank + " is in " + mine + ", but rank " + other + " in " + calls[other],
            "");
      }
    }
  }

  /** Nobody may change what was published before everybody has read it. */
  private void finishReading(Device device) {
    Streams.finish(device);
    shared.rendezvous.await();
  }

  private Tensor published(int source) {
    Tensor tensor = shared.tensors[source];
    if (tensor == null) {
      throw new IllegalStateException("rank " + source + " has published nothing");
    }
    return tensor;
  }

  private Tensor sumOf(long start, long length) {
    Tensor sum = Copies.dense(Views.narrow(published(0), 0, start, length));
    sum = Copies.to(sum, published(rank).device());
    for (int source = 1; source < size(); source++) {
      Tensor part = Views.narrow(published(source), 0, start, length);
      Elementwise.addInPlace(sum, Copies.to(part, sum.device()));
    }
    return sum;
  }

  private static boolean isPlaceOf(Tensor full, long offset, Tensor shard) {
    return Views.addressOf(full) + offset * full.dtype().bytes() == Views.addressOf(shard);
  }
}
