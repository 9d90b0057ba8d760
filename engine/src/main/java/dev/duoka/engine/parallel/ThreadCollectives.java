package dev.duoka.engine.parallel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
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

    Shared(int size) {
      rendezvous = new Rendezvous(size);
      tensors = new @Nullable Tensor[size];
      numbers = new double[size][];
    }
  }

  private final int rank;
  private final Shared shared;

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
      publish(flat);
      Tensor sum = sumOf(0, flat.size(0));
      finishReading(flat.device());
      Copies.into(flat, sum);
      barrier();
    }
  }

  @Override
  public void reduceScatter(Tensor full, Tensor shard) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long length = shard.elements();
      publish(full);
      Tensor sum = sumOf(rank * length, length);
      finishReading(full.device());
      Copies.into(shard, sum);
      barrier();
    }
  }

  @Override
  public void allGather(Tensor shard, Tensor full) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long length = shard.elements();
      publish(Views.reshape(shard, -1));
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
    barrier();
    for (int i = 0; i < values.length; i++) {
      double sum = 0;
      for (double[] part : shared.numbers) {
        sum += part[i];
      }
      values[i] = sum;
    }
    barrier();
  }

  @Override
  public void barrier() {
    shared.rendezvous.await();
  }

  private void publish(Tensor tensor) {
    Streams.finish(tensor.device());
    shared.tensors[rank] = tensor;
    barrier();
  }

  /** Nobody may change what was published before everybody has read it. */
  private void finishReading(Device device) {
    Streams.finish(device);
    barrier();
  }

  private Tensor published(int source) {
    Tensor tensor = shared.tensors[source];
    if (tensor == null) {
      throw new DuokaException(
          ErrorCode.RANK_LOST, "rank " + source + " is in another collective than " + rank, "");
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
