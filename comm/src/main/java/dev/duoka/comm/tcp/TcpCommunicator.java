package dev.duoka.comm.tcp;

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
import dev.duoka.comm.tcp.Offer.Part;
import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A rank whose partners may be in other processes. It computes what ranks that are threads do, bit
 * for bit: the same stretches are added in the same order. A collective is done when its method
 * returns; messages come and go meanwhile. Tensors on a GPU go through the host's memory.
 */
final class TcpCommunicator implements Communicator, Agreement {
  /** Two million numbers. */
  private static final long LARGEST_AGREEMENT = 16 << 20;

  private final TcpWorld world;
  private final Endpoint endpoint;
  private final Group group;
  private final int rank;
  private final ExchangeLedger ledger;
  private final long[] sent;
  private final long[] received;
  private long number;
  private long beginnings;

  /**
   * A rank's view of a group.
   *
   * @param rank its number in the group
   */
  TcpCommunicator(TcpWorld world, Endpoint endpoint, Group group, int rank, ExchangeLedger ledger) {
    this.world = world;
    this.endpoint = endpoint;
    this.group = group;
    this.rank = rank;
    this.ledger = ledger;
    sent = new long[group.size()];
    received = new long[group.size()];
  }

  /** What two ranks must agree about in a message. */
  static String shape(Tensor tensor) {
    return tensor.dtype() + Arrays.toString(tensor.shape());
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

  /**
   * Each rank sums a stretch of its own in place, then all collect the others' stretches; of small
   * tensors everybody gets everything and sums all.
   */
  @Override
  public Pending allReduce(Tensor tensor) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor flat = Views.reshape(tensor, -1);
      Tensor host = onHost(flat);
      HostMemory memory = HostCopy.memoryOf(host);
      Part part = Part.all(memory);
      return exchange(
          call(Operation.ALL_REDUCE, flat, -1),
          memory,
          _ -> part,
          call -> {
            if (part.isPulled()) {
              sumOwnStretch(call, host);
            } else {
              new RemoteSum(call, host, host, 0).compute();
            }
            back(flat, host);
          });
    }
  }

  private void sumOwnStretch(Collective call, Tensor host) {
    Stretch own = stretch(host, rank);
    Tensor place = Views.narrow(host, 0, own.start(), own.length());
    new RemoteSum(call, place, place, own.start()).compute();
    call.ready();
    List<Pull> pulls = new ArrayList<>();
    for (int i = 1; i < size(); i++) {
      int source = (rank + i) % size(); // not all from the same one first
      Stretch there = stretch(host, source);
      call.awaitReady(source);
      pulls.add(
          call.fetch(
              source,
              there.start() * host.dtype().bytes(),
              HostCopy.memoryOf(Views.narrow(host, 0, there.start(), there.length()))));
    }
    call.await(pulls);
  }

  private Stretch stretch(Tensor flat, int of) {
    return OrderedSum.stretch(flat.size(0), of, size());
  }

  @Override
  public Pending reduceScatter(Tensor full, Tensor shard) {
    requireParts(full, shard);
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor flat = Views.reshape(full, -1);
      Tensor host = onHost(flat);
      Tensor place = Views.reshape(shard, -1);
      Tensor target = onHost(place);
      long length = shard.elements();
      return exchange(
          call(Operation.REDUCE_SCATTER, flat, -1),
          HostCopy.memoryOf(host),
          other -> Part.of(other * shard.bytes(), shard.bytes()),
          call -> {
            Tensor mine = Views.narrow(host, 0, rank * length, length);
            new RemoteSum(call, mine, target, 0).compute();
            back(place, target);
          });
    }
  }

  @Override
  public Pending allGather(Tensor shard, Tensor full) {
    requireParts(full, shard);
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor part = Views.reshape(shard, -1);
      Tensor flat = Views.reshape(full, -1);
      Tensor target = flat.device().isCuda() ? empty(flat) : flat;
      long length = shard.elements();
      Tensor own = onHost(part);
      return exchange(
          call(Operation.ALL_GATHER, part, -1),
          HostCopy.memoryOf(own),
          _ -> Part.all(HostCopy.memoryOf(own)),
          call -> {
            List<Pull> pulls = new ArrayList<>();
            for (int i = 1; i < size(); i++) {
              int source = (rank + i) % size();
              Tensor place = Views.narrow(target, 0, source * length, length);
              pulls.add(call.fetch(source, 0, HostCopy.memoryOf(place)));
            }
            Tensor place = Views.narrow(target, 0, rank * length, length);
            // A shard that lies in place already is not copied onto itself.
            if (Views.addressOf(place) != Views.addressOf(own)) {
              Copies.into(place, own);
            }
            call.await(pulls);
            back(flat, target);
          });
    }
  }

  private void requireParts(Tensor full, Tensor shard) {
    if (full.elements() != shard.elements() * size() || full.dtype() != shard.dtype()) {
      throw new DuokaException(
          ErrorCode.TENSOR, full + " has not " + size() + " parts like " + shard, "");
    }
  }

  @Override
  public Pending allToAll(Tensor send, long[] sendRows, Tensor receive, long[] receiveRows) {
    long row = rowBytes(send);
    requireRows(send, sendRows);
    requireRows(receive, receiveRows);
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor host = onHost(send);
      Tensor target = receive.device().isCuda() ? empty(receive) : receive;
      HostMemory memory = HostCopy.memoryOf(host);
      return exchange(
          call(Operation.ALL_TO_ALL, send, -1),
          memory,
          other ->
              Part.ofRows(
                  Arrays.stream(sendRows, 0, other).sum() * row,
                  sendRows[other] * row,
                  sendRows[other]),
          call -> {
            // All counts before the first copy: a wrong one must not reach beyond a tensor.
            for (int source = 0; source < size(); source++) {
              long rows = source == rank ? sendRows[rank] : call.offerOf(source).rows();
              requireRows(call.exchange(), source, rows, receiveRows[source]);
            }
            HostMemory into = HostCopy.memoryOf(target);
            List<Pull> pulls = new ArrayList<>();
            long to = 0;
            for (int source = 0; source < size(); source++) {
              HostMemory place = into.asSlice(to * row, receiveRows[source] * row);
              if (source == rank) {
                long from = Arrays.stream(sendRows, 0, rank).sum();
                place.copyFrom(memory.asSlice(from * row, place.byteSize()));
              } else {
                pulls.add(call.fetch(source, 0, place));
              }
              to += receiveRows[source];
            }
            call.await(pulls);
            back(receive, target);
          });
    }
  }

  private static long rowBytes(Tensor tensor) {
    return Arrays.stream(tensor.shape()).skip(1).reduce(tensor.dtype().bytes(), (a, b) -> a * b);
  }

  private static void requireRows(Tensor tensor, long[] rows) {
    long all = Arrays.stream(rows).sum();
    if (all > tensor.size(0)) {
      throw new DuokaException(ErrorCode.TENSOR, tensor + " has no " + all + " rows", "");
    }
  }

  private void requireRows(Exchange call, int source, long rows, long expected) {
    if (rows != expected) {
      throw world.lose(
          endpoint.rank(),
          "rank "
              + group.member(source)
              + " sends "
              + rows
              + " rows to rank "
              + endpoint.rank()
              + ", which expects "
              + expected
              + " in "
              + call);
    }
  }

  @Override
  public Pending broadcast(Tensor tensor, int root) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor host = onHost(tensor);
      HostMemory memory = HostCopy.memoryOf(host);
      return exchange(
          call(Operation.BROADCAST, tensor, root),
          memory,
          _ -> rank == root ? Part.all(memory) : Part.NONE,
          call -> {
            if (rank != root) {
              call.await(List.of(call.fetch(root, 0, memory)));
              back(tensor, host);
            }
          });
    }
  }

  @Override
  public Pending send(Tensor tensor, int to) {
    countAnewAfterRenewal();
    Exchange call = call(Operation.SEND, tensor, to);
    return new Message(
        world,
        endpoint,
        new Slot(group.id(), sent[to]++, true, group.member(to)),
        call,
        tensor,
        tensor.device().isCuda() ? Scope.detach(Copies.to(tensor, Device.CPU)) : tensor,
        completion(call));
  }

  @Override
  public Pending receive(Tensor tensor, int from) {
    countAnewAfterRenewal();
    Exchange call = call(Operation.RECEIVE, tensor, from);
    return new Reception(
        world,
        endpoint,
        new Slot(group.id(), received[from]++, true, group.member(from)),
        call,
        tensor,
        tensor.device().isCuda() ? Scope.detach(empty(tensor)) : tensor,
        completion(call));
  }

  private Runnable completion(Exchange call) {
    long issued = ledger.issued(call);
    return () -> ledger.completed(issued);
  }

  @Override
  public Communicator split(String name, int color, int key) {
    long[][] all = longs(Operation.SPLIT, color, key, endpoint.nextGroup());
    // A number that is new to all of these ranks, also to those of other colors: one suffices.
    long id = Arrays.stream(all).mapToLong(of -> of[2]).max().orElseThrow();
    endpoint.reserveGroup(id);
    List<Integer> ranks =
        IntStream.range(0, size())
            .filter(other -> all[other][0] == color)
            .boxed()
            .sorted(Comparator.comparingLong(other -> all[other][1]))
            .toList();
    if (ranks.size() == 1) {
      return new SingleRank(name, this::abort);
    }
    List<Integer> members = ranks.stream().map(group::member).toList();
    Group part = new Group(id, new RankGroup(name, members), members);
    return new TcpCommunicator(world, endpoint, part, ranks.indexOf(rank), ledger);
  }

  @Override
  public void notes(Exchange call) {
    world.notes(endpoint, call);
  }

  @Override
  public @Nullable Throwable failure() {
    return world.failure();
  }

  @Override
  public Agreement agreement() {
    return this;
  }

  @Override
  public void sum(double[] values) {
    HostMemory own = HostMemory.ofArray(values.clone());
    Exchange call = group.ranks().call(Operation.AGREE, values.length, Dtype.FLOAT64, -1);
    double[][] all = new double[size()][values.length];
    all[rank] = values.clone();
    gather(call, own, other -> HostMemory.ofArray(all[other]));
    for (int i = 0; i < values.length; i++) {
      double sum = 0;
      for (int other = 0; other < size(); other++) {
        sum += all[other][i];
      }
      values[i] = sum;
    }
  }

  @Override
  public void barrier() {
    longs(Operation.BARRIER);
  }

  /** Every rank's numbers, on every rank. */
  private long[][] longs(Operation operation, long... own) {
    long[][] all = new long[size()][own.length];
    all[rank] = own.clone();
    gather(
        group.ranks().call(operation, 0, null, -1),
        HostMemory.ofArray(own),
        other -> HostMemory.ofArray(all[other]));
    return all;
  }

  /** Java arrays are read by this rank's thread alone, so they travel with the offers. */
  private void gather(Exchange call, HostMemory own, IntFunction<HostMemory> places) {
    if (own.byteSize() > LARGEST_AGREEMENT) {
      throw new IllegalArgumentException("hosts agree on a few numbers, not " + call);
    }
    exchange(
        call,
        own,
        _ -> new Part(0, own.byteSize(), 0, false),
        collective -> {
          for (int other = 0; other < size(); other++) {
            if (other != rank) {
              collective.fetch(other, 0, places.apply(other));
            }
          }
        });
  }

  @Override
  public boolean renew(@Nullable Throwable own, boolean willing) {
    boolean renewed = world.renew(endpoint, own, willing);
    if (renewed) {
      endpoint.closeCopies();
    }
    return renewed;
  }

  /** One rank may have been some calls ahead of another when they began again. */
  private void countAnewAfterRenewal() {
    if (beginnings != world.beginnings()) {
      beginnings = world.beginnings();
      number = 0;
      Arrays.fill(sent, 0);
      Arrays.fill(received, 0);
    }
  }

  @Override
  public void abort(String reason) {
    world.abort(endpoint.rank(), reason);
  }

  /** Nothing to free: what a call has shown goes when the call ends. */
  @Override
  public void close() {}

  private Exchange call(Operation operation, Tensor tensor, int peer) {
    return group.ranks().call(operation, tensor, peer);
  }

  /**
   * A collective: offers, meets, works, and ends when the others have what they need. When it fails
   * nobody touches this rank's tensors any more.
   */
  private Pending exchange(
      Exchange exchange, HostMemory shown, IntFunction<Part> parts, Consumer<Collective> work) {
    countAnewAfterRenewal();
    long issued = ledger.issued(exchange);
    Collective call = new Collective(world, endpoint, group, rank, ++number, exchange);
    try {
      call.offer(shown, parts);
      call.meet();
      work.accept(call);
      call.end();
    } catch (Throwable t) { // of whatever kind: the tensor goes when the rank unwinds
      world.failsIn(endpoint.rank(), t);
      throw t;
    }
    ledger.completed(issued);
    return Pending.DONE;
  }

  private static Tensor empty(Tensor like) {
    return Tensors.empty(like.dtype(), Device.CPU, like.shape());
  }

  /** The tensor, or a copy of a GPU's in the host's memory. */
  private static Tensor onHost(Tensor tensor) {
    return tensor.device().isCuda() ? Copies.to(tensor, Device.CPU) : tensor;
  }

  private static void back(Tensor tensor, Tensor host) {
    if (tensor != host) {
      Copies.into(tensor, host);
    }
  }
}
