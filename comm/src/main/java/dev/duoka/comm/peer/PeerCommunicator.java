package dev.duoka.comm.peer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.ExchangeMarks;
import dev.duoka.comm.Operation;
import dev.duoka.comm.OrderedSum;
import dev.duoka.comm.OrderedSum.Stretch;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankGroup;
import dev.duoka.comm.stream.CollectiveStream;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A rank with a GPU of its own whose kernels read the other ranks' tensors where they lie. All
 * ranks are threads of one process, and each card reaches the memory of the others. A collective
 * runs on a stream beside the rank's computations: it shows the others an address, its stream waits
 * until all have shown theirs, one kernel reads, and the stream waits until all have read. No host
 * takes part and no kernel spins.
 *
 * <p>Sums are added in the order of the ranks, each addition rounded to the tensor's dtype: the
 * same bits on every rank, and those of {@code local}.
 *
 * <p>Messages go without a stream of their own: {@link Pending#join} makes the rank's own stream
 * wait, so that two ranks may both send first.
 *
 * <p>When the exchange ends for good, every stream that waits is released and reads nothing.
 */
public final class PeerCommunicator implements Communicator {
  private final Communicator hosts;
  private final CudaDevice device;
  private final ExchangeLedger ledger;
  private final Release release;
  private final boolean root;
  private final Boards boards;
  private final PeerKernels kernels;
  private final CollectiveStream stream;

  /** Of the last collective; counts round. */
  private int number;

  private final int[] sent;
  private final int[] received;

  private PeerCommunicator(
      Communicator hosts, CudaDevice device, ExchangeLedger ledger, Release release, boolean root) {
    this.hosts = hosts;
    this.device = device;
    this.ledger = ledger;
    this.release = release;
    this.root = root;
    boards = new Boards(hosts, device);
    kernels = new PeerKernels(device.ordinal(), boards, hosts.size(), hosts.rank());
    stream = new CollectiveStream(device.ordinal());
    sent = new int[hosts.size()];
    received = new int[hosts.size()];
    release.add(boards);
  }

  /**
   * Lets the ranks of {@code hosts}, threads of this process, read each other's memory. Collective.
   *
   * @param hosts the same ranks; borrowed
   * @param ordinal the GPU of this rank; no two ranks share one
   * @param ledger to which this rank writes what it exchanges on its device
   * @throws DuokaException {@code DEVICE} when two cards cannot reach each other, which it names
   */
  public static PeerCommunicator over(Communicator hosts, int ordinal, ExchangeLedger ledger) {
    CudaDevice device = CudaDriver.find().orElseThrow().device(ordinal);
    Reach.ofAll(hosts, device);
    return new PeerCommunicator(hosts, device, ledger, new Release(hosts), true);
  }

  @Override
  public int rank() {
    return hosts.rank();
  }

  @Override
  public int size() {
    return hosts.size();
  }

  @Override
  public RankGroup ranks() {
    return hosts.ranks();
  }

  /** Each rank sums a stretch of its own in place, then all collect the others' stretches. */
  @Override
  public Pending allReduce(Tensor tensor) {
    long width = tensor.dtype().bytes();
    Stretch own = OrderedSum.stretch(tensor.elements(), rank(), size());
    long part = at(tensor) + own.start() * width;
    return launch(
        Operation.ALL_REDUCE,
        tensor,
        -1,
        on -> {
          show(false, at(tensor), bytes(tensor), on);
          kernels.sum(own.start(), own.length(), tensor.dtype(), part, on);
          show(true, part, own.length() * width, on);
          kernels.pull(boards.shown(true), size(), at(tensor), bytes(tensor), on);
          awaitRead(true, on);
        });
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    long count = shard.elements();
    return launch(
        Operation.REDUCE_SCATTER,
        full,
        -1,
        on -> {
          show(false, at(full), bytes(full), on);
          kernels.sum(rank() * count, count, full.dtype(), at(shard), on);
          awaitRead(false, on);
        });
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return launch(
        Operation.ALL_GATHER,
        shard,
        -1,
        on -> {
          show(false, at(shard), bytes(shard), on);
          kernels.pull(boards.shown(false), size(), at(full), bytes(full), on);
          awaitRead(false, on);
        });
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    long row = rowBytes(send);
    return launch(
        Operation.ALL_TO_ALL,
        send,
        -1,
        on -> {
          number++;
          long from = at(send);
          for (int to = 0; to < size(); to++) {
            kernels.show(to, 1, boards.shown(false) + rank(), from, sendRows[to] * row, number, on);
            from += sendRows[to] * row;
          }
          awaitShown(false, on);
          long room = Arrays.stream(receiveRows).sum() * row;
          kernels.pull(boards.shown(false), size(), at(receive), room, on);
          awaitRead(false, on);
        });
  }

  @Override
  public Pending broadcast(Tensor tensor, int from) {
    return launch(
        Operation.BROADCAST,
        tensor,
        from,
        on -> {
          show(false, at(tensor), rank() == from ? bytes(tensor) : 0, on);
          kernels.pull(boards.shown(false), size(), at(tensor), bytes(tensor), on);
          awaitRead(false, on);
        });
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    Exchange call = ranks().call(Operation.SEND, tensor, to);
    long issued = issued(call);
    int message = ++sent[to];
    long on = current();
    int place = boards.place(rank(), message);
    int answer = boards.place(to, message);
    if (Integer.compareUnsigned(message, Boards.MESSAGES) > 0) {
      boards.awaitRead(on, answer, message - Boards.MESSAGES);
    }
    kernels.show(to, 1, place, at(tensor), bytes(tensor), message, on);
    return new Message(
        this::failure,
        lost -> ended(ranks(), rank(), call, lost),
        () -> boards.isRead(answer, message),
        () -> boards.awaitRead(current(), answer, message),
        () -> ledger.completed(issued));
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    Exchange call = ranks().call(Operation.RECEIVE, tensor, from);
    long issued = issued(call);
    int message = ++received[from];
    int place = boards.place(from, message);
    int answer = boards.place(rank(), message);
    return new Message(
        this::failure,
        lost -> ended(ranks(), rank(), call, lost),
        () -> false,
        () -> {
          long on = current();
          boards.awaitShown(on, place, message);
          kernels.pull(place, 1, at(tensor), bytes(tensor), on);
          kernels.release(from, 1, answer, message, on);
        },
        () -> ledger.completed(issued));
  }

  @Override
  public Communicator split(String name, int color, int key) {
    return new PeerCommunicator(hosts.split(name, color, key), device, ledger, release, false);
  }

  @Override
  public @Nullable Throwable failure() {
    return hosts.failure();
  }

  @Override
  public Agreement agreement() {
    return hosts.agreement();
  }

  @Override
  public void abort(String reason) {
    hosts.abort(reason);
    release.now();
  }

  @Override
  public void markWith(@Nullable ExchangeMarks marks) {
    stream.markWith(marks);
  }

  @Override
  public void close() {
    stream.synchronize(); // what this rank writes on boards it has written
    CudaDriver.find().orElseThrow().synchronize(current());
    release.remove(boards);
    stream.close();
    boards.close();
    if (root) {
      release.close();
    } else {
      hosts.close();
    }
  }

  /** Shows all ranks the same stretch, and holds the stream back until all have shown theirs. */
  private void show(boolean result, long address, long bytes, long on) {
    number++;
    kernels.show(0, size(), boards.shown(result) + rank(), address, bytes, number, on);
    awaitShown(result, on);
  }

  private void awaitShown(boolean result, long on) {
    for (int other = 0; other < size(); other++) {
      if (other != rank()) {
        boards.awaitShown(on, boards.shown(result) + other, number);
      }
    }
  }

  /** Says that this rank has read, and holds the stream back until all have read what it showed. */
  private void awaitRead(boolean result, long on) {
    kernels.release(0, size(), boards.shown(result) + rank(), number, on);
    for (int other = 0; other < size(); other++) {
      if (other != rank()) {
        boards.awaitRead(on, boards.shown(result) + other, number);
      }
    }
  }

  private Pending launch(Operation operation, Tensor tensor, int peer, LongConsumer collective) {
    Exchange call = ranks().call(operation, tensor, peer);
    long issued = issued(call);
    Pending pending = stream.launch(collective, hosts::failure);
    ledger.completed(issued);
    return pending;
  }

  /** Notes a call, which only ranks that still exchange may make. */
  private long issued(Exchange call) {
    Throwable failure = failure();
    if (failure != null) {
      throw ended(ranks(), rank(), call, failure);
    }
    hosts.notes(call);
    return ledger.issued(call);
  }

  /** What a rank throws that finds the exchange ended. */
  static DuokaException ended(RankGroup ranks, int rank, Exchange call, Throwable failure) {
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "the ranks no longer exchange, so rank "
            + ranks.member(rank)
            + " stops in "
            + call
            + ": "
            + failure.getMessage(),
        "",
        failure);
  }

  private long current() {
    return CudaStreams.current(device.ordinal());
  }

  private static long at(Tensor tensor) {
    return tensor.elements() == 0 ? 0 : Views.addressOf(tensor);
  }

  private static long bytes(Tensor tensor) {
    return tensor.elements() * tensor.dtype().bytes();
  }

  private static long rowBytes(Tensor tensor) {
    return Arrays.stream(tensor.shape()).skip(1).reduce(tensor.dtype().bytes(), (a, b) -> a * b);
  }
}
