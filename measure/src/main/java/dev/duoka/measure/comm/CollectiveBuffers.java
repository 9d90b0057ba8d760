package dev.duoka.measure.comm;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.Optional;

/**
 * The tensors of one rank that a collective of one size reads and writes; of the scope that is open
 * when they are made.
 */
final class CollectiveBuffers {
  /** Elements of a row that is sent to a rank. */
  private static final int ROW = 8;

  private static final Dtype DTYPE = Dtype.BFLOAT16;
  private static final int ROOT = 0;

  private final Communicator ranks;
  private final Tensor whole;
  private final Tensor other;
  private final Tensor part;
  private final long length;
  private final long[] rows;

  /**
   * Tensors in 16 bits.
   *
   * @param bytes as {@link #bytes} gives them
   */
  CollectiveBuffers(Communicator ranks, Device device, long bytes) {
    this.ranks = ranks;
    long count = bytes / DTYPE.bytes();
    length = count / ranks.size();
    whole = Tensors.zeros(DTYPE, device, count);
    other = Tensors.zeros(DTYPE, device, count);
    part = Tensors.zeros(DTYPE, device, length);
    rows = new long[ranks.size()];
    Arrays.fill(rows, length / ROW);
  }

  /** The bytes nearest below {@code asked} that ranks can share, of each a row at least. */
  static long bytes(long asked, int ranks) {
    long unit = (long) ROW * DTYPE.bytes() * ranks;
    return Math.max(1, asked / unit) * unit;
  }

  /** Bytes that a rank holds for an exchange of so many. */
  static long held(long bytes, int ranks) {
    return 2 * bytes + bytes / ranks;
  }

  /** Makes the call once; the stream, on the CPU the thread, has waited for it on return. */
  void run(Collective collective) {
    switch (collective) {
      case ALL_REDUCE -> ranks.allReduce(whole).join();
      case REDUCE_SCATTER -> ranks.reduceScatter(whole, part).join();
      case ALL_GATHER -> ranks.allGather(part, whole).join();
      case ALL_TO_ALL ->
          ranks
              .allToAll(Views.reshape(whole, -1, ROW), rows, Views.reshape(other, -1, ROW), rows)
              .join();
      case BROADCAST -> ranks.broadcast(whole, ROOT).join();
      case SEND_RECEIVE -> {
        Pending sent = ranks.send(whole, (ranks.rank() + 1) % ranks.size());
        ranks.receive(other, before()).join();
        sent.join();
      }
    }
  }

  private int before() {
    return Math.floorMod(ranks.rank() - 1, ranks.size());
  }

  /**
   * Makes the call once on known numbers. Collective. Zeros are left behind, so that sums of sums
   * do not grow.
   *
   * @return what is wrong on this rank; empty where nothing is
   */
  Optional<String> check(Collective collective) {
    int rank = ranks.rank();
    Pattern.fill(whole, rank, 0);
    Pattern.fill(part, rank, 0);
    Tensors.zero(other);
    if (collective == Collective.ALL_GATHER) {
      Tensors.zero(whole);
    }
    run(collective);
    Optional<String> wrong =
        switch (collective) {
          case ALL_REDUCE -> Pattern.difference(whole, this::sum);
          case REDUCE_SCATTER -> Pattern.difference(part, i -> sum(rank * length + i));
          case ALL_GATHER ->
              Pattern.difference(whole, i -> Pattern.of((int) (i / length), i % length));
          case ALL_TO_ALL ->
              Pattern.difference(
                  other, i -> Pattern.of((int) (i / length), rank * length + i % length));
          case BROADCAST -> Pattern.difference(whole, i -> Pattern.of(ROOT, i));
          case SEND_RECEIVE -> Pattern.difference(other, i -> Pattern.of(before(), i));
        };
    ranks.agreement().barrier(); // nobody overwrites what others may still read
    Tensors.zero(whole);
    Tensors.zero(part);
    return wrong.map(it -> "rank " + rank + ": " + it);
  }

  private int sum(long index) {
    int sum = 0;
    for (int rank = 0; rank < ranks.size(); rank++) {
      sum += Pattern.of(rank, index);
    }
    return sum;
  }
}
