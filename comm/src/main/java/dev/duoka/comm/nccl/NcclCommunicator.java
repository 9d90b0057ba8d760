package dev.duoka.comm.nccl;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Agreement;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.ExchangeMarks;
import dev.duoka.comm.Operation;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankGroup;
import dev.duoka.comm.stream.CollectiveStream;
import dev.duoka.ffi.environment.ProcessEnvironment;
import dev.duoka.ffi.nccl.Nccl;
import dev.duoka.ffi.nccl.NcclComm;
import dev.duoka.ffi.nccl.NcclComm.Patience;
import dev.duoka.ffi.nccl.NcclDtype;
import dev.duoka.ffi.nccl.NcclId;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A rank with a GPU of its own, whose collectives are NCCL's and run on a stream beside its
 * computations. Its host talks to the others through another communicator, which also carries
 * messages between two ranks: NCCL would order all messages of a rank on one stream, and two ranks
 * that send to each other first would wait for ever.
 *
 * <p>NCCL adds in the order of its rings: sums are the same on every rank, and may differ in the
 * last bits from those in the order of the ranks.
 *
 * <p>When the exchange ends for good, a watcher ends the collectives on the device, so that no host
 * waits for one whose partner is gone.
 */
public final class NcclCommunicator implements Communicator {
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final long WATCH_MILLISECONDS = 50;

  private final Communicator host;
  private final NcclComm comm;
  private final CollectiveStream stream;
  private final Patience patience;
  private final ExchangeLedger ledger;
  private final List<NcclComm> family;
  private final @Nullable Thread watcher;
  private final int device;

  private NcclCommunicator(
      Communicator host,
      NcclComm comm,
      int device,
      Patience patience,
      ExchangeLedger ledger,
      List<NcclComm> family,
      boolean watches) {
    this.host = host;
    this.comm = comm;
    this.device = device;
    this.patience = patience;
    this.ledger = ledger;
    this.family = family;
    this.stream = new CollectiveStream(device);
    family.add(comm);
    watcher = watches ? watch() : null;
  }

  /**
   * Looks for the library.
   *
   * @throws DuokaException {@code NATIVE_LIBRARY} without NCCL 2.28.9 or later
   */
  public static void require() {
    Nccl.find().orElseThrow();
  }

  /**
   * Makes the ranks of {@code host} a communicator of NCCL, on the calling threads' devices.
   * Collective.
   *
   * @param host the same ranks; borrowed
   * @param device the GPU of this rank; no two ranks share one
   * @param limit how long a call waits for the other ranks' hosts
   * @param ledger to which this rank writes what it exchanges on its device
   * @throws DuokaException {@code NATIVE_LIBRARY} without NCCL 2.28.9 or later, {@code RANK_LOST}
   *     when a rank does not come
   */
  public static NcclCommunicator over(
      Communicator host, int device, Duration limit, ExchangeLedger ledger) {
    // Several communicators on one device: launched in the same order, they run in it.
    ProcessEnvironment.set("NCCL_LAUNCH_ORDER_IMPLICIT", "1");
    Nccl nccl = Nccl.find().orElseThrow();
    Patience patience = new Patience(limit, () -> host.failure() != null);
    NcclId id = exchanged(host, nccl);
    NcclComm comm = nccl.join(id, host.size(), host.rank(), limit, patience.stopped());
    host.agreement().barrier();
    return new NcclCommunicator(
        host, comm, device, patience, ledger, new CopyOnWriteArrayList<>(), true);
  }

  /** The first rank's id, on every rank: numbers are what hosts exchange. */
  private static NcclId exchanged(Communicator host, Nccl nccl) {
    double[] numbers = new double[NcclId.BYTES];
    if (host.rank() == 0) {
      byte[] own = nccl.newId().bytes();
      for (int i = 0; i < own.length; i++) {
        numbers[i] = own[i];
      }
    }
    host.agreement().sum(numbers);
    byte[] bytes = new byte[NcclId.BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) numbers[i];
    }
    return new NcclId(bytes);
  }

  private Thread watch() {
    return Thread.ofPlatform()
        .daemon()
        .name("nccl-watch-" + host.rank())
        .start(
            () -> {
              try {
                while (host.failure() == null) {
                  Thread.sleep(WATCH_MILLISECONDS);
                }
                family.forEach(NcclComm::abort);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // closed: nothing is left to watch
              }
            });
  }

  @Override
  public int rank() {
    return host.rank();
  }

  @Override
  public int size() {
    return host.size();
  }

  @Override
  public RankGroup ranks() {
    return host.ranks();
  }

  @Override
  public Pending allReduce(Tensor tensor) {
    return launch(
        Operation.ALL_REDUCE,
        tensor,
        -1,
        on -> comm.allReduce(at(tensor), tensor.elements(), dtype(tensor), on, patience));
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    return launch(
        Operation.REDUCE_SCATTER,
        full,
        -1,
        on -> comm.reduceScatter(at(full), at(shard), shard.elements(), dtype(full), on, patience));
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    return launch(
        Operation.ALL_GATHER,
        shard,
        -1,
        on -> comm.allGather(at(shard), at(full), shard.elements(), dtype(shard), on, patience));
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    return launch(
        Operation.ALL_TO_ALL,
        send,
        -1,
        on -> comm.grouped(() -> exchangeRows(send, sendRows, receive, receiveRows, on), patience));
  }

  private void exchangeRows(
      Tensor send, long[] sendRows, Tensor receive, long[] receiveRows, long on) {
    long width = Arrays.stream(send.shape()).skip(1).reduce(1, (a, b) -> a * b);
    long bytes = width * send.dtype().bytes();
    long from = at(send);
    long to = at(receive);
    for (int other = 0; other < size(); other++) {
      if (sendRows[other] > 0) {
        comm.send(from, sendRows[other] * width, dtype(send), other, on);
      }
      if (receiveRows[other] > 0) {
        comm.receive(to, receiveRows[other] * width, dtype(receive), other, on);
      }
      from += sendRows[other] * bytes;
      to += receiveRows[other] * bytes;
    }
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    return launch(
        Operation.BROADCAST,
        tensor,
        root,
        on -> comm.broadcast(at(tensor), tensor.elements(), dtype(tensor), root, on, patience));
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    return host.send(tensor, to);
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    return host.receive(tensor, from);
  }

  @Override
  public Communicator split(String name, int color, int key) {
    Communicator part = host.split(name, color, key);
    NcclComm child = comm.split(color, key, patience);
    return new NcclCommunicator(part, child, device, patience, ledger, family, false);
  }

  @Override
  public @Nullable Throwable failure() {
    return host.failure();
  }

  @Override
  public Agreement agreement() {
    return host.agreement();
  }

  @Override
  public void abort(String reason) {
    host.abort(reason);
    family.forEach(NcclComm::abort);
  }

  @Override
  public void markWith(@Nullable ExchangeMarks marks) {
    stream.markWith(marks);
  }

  @Override
  public void close() {
    Thread watching = watcher;
    if (watching != null) {
      watching.interrupt();
    }
    comm.close(new Patience(CLOSING, patience.stopped()));
    family.remove(comm);
    stream.close();
    if (watching == null) {
      host.close();
    }
  }

  private Pending launch(Operation operation, Tensor tensor, int peer, LongConsumer collective) {
    Exchange call = ranks().call(operation, tensor, peer);
    long issued = ledger.issued(call);
    host.notes(call);
    try {
      Pending pending = stream.launch(collective, host::failure);
      ledger.completed(issued);
      return pending;
    } catch (DuokaException e) {
      throw new DuokaException(
          e.code(),
          "rank " + ranks().member(rank()) + " cannot go on in " + call + ": " + e.problem(),
          e.remedy(),
          e);
    }
  }

  private static long at(Tensor tensor) {
    return Views.addressOf(tensor);
  }

  private static NcclDtype dtype(Tensor tensor) {
    Dtype dtype = tensor.dtype();
    return switch (dtype) {
      case FLOAT32 -> NcclDtype.FLOAT32;
      case FLOAT64 -> NcclDtype.FLOAT64;
      case BFLOAT16 -> NcclDtype.BFLOAT16;
      case FLOAT16 -> NcclDtype.FLOAT16;
      case INT64 -> NcclDtype.INT64;
      case INT32 -> NcclDtype.INT32;
      case UINT8, BOOL -> NcclDtype.UINT8;
      case INT16, FLOAT8_E4M3 -> throw new IllegalArgumentException("NCCL exchanges no " + dtype);
    };
  }
}
