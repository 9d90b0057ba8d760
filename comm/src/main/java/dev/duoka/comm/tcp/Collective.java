package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.tcp.Frame.Kind;
import dev.duoka.comm.tcp.Offer.Part;
import dev.duoka.ffi.torch.HostMemory;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** One call of a collective by one rank: offers, meets, fetches, ends. */
final class Collective {
  private final TcpWorld world;
  private final Endpoint rank;
  private final Group group;
  private final long number;
  private final Exchange exchange;
  private final int self;
  private List<Integer> readers = List.of();

  /**
   * A call.
   *
   * @param self this rank's number in the group
   * @param number of the call in the group
   */
  Collective(TcpWorld world, Endpoint rank, Group group, int self, long number, Exchange exchange) {
    this.world = world;
    this.rank = rank;
    this.group = group;
    this.self = self;
    this.number = number;
    this.exchange = exchange;
  }

  /** The call. */
  Exchange exchange() {
    return exchange;
  }

  int self() {
    return self;
  }

  int size() {
    return group.size();
  }

  /**
   * Shows the others what they need of this rank.
   *
   * @param memory stays as it is, but for this rank's own work, until {@link #end}
   * @param parts what the rank of this number needs
   */
  void offer(HostMemory memory, IntFunction<Part> parts) {
    List<Integer> pulling = others(other -> parts.apply(other).isPulled());
    readers =
        world.open(rank, slot(-1), memory, pulling.stream().map(group::member).toList()).readers();
    for (int other : others(_ -> true)) {
      world.offer(
          rank, slot(-1), group.member(other), Offer.of(exchange, "", memory, parts.apply(other)));
    }
  }

  /** Waits until all others make the same call. */
  void meet() {
    synchronized (world) {
      world.await(
          rank,
          exchange,
          () -> differing().isEmpty() ? members(other -> !hasOffered(other)) : List.of());
      for (int other : differing()) {
        throw world.lose(
            rank.rank(),
            "rank "
                + rank.rank()
                + " is in "
                + exchange
                + ", but rank "
                + group.member(other)
                + " in "
                + offer(other).exchange());
      }
    }
  }

  private List<Integer> differing() {
    return others(other -> hasOffered(other) && !exchange.matches(offer(other).exchange()));
  }

  /** What another rank offers, after the meeting. */
  Offer offerOf(int other) {
    synchronized (world) {
      return offer(other);
    }
  }

  /**
   * Fetches a part of what another rank offers, at the latest when {@link #await} returns.
   *
   * @param offset in the part that this rank is offered
   */
  Pull fetch(int other, long offset, HostMemory target) {
    Offer offer = offerOf(other);
    HostMemory data = offer.data();
    if (data != null) {
      Pull pull = new Pull(rank, group.member(other), target);
      target.copyFrom(data.asSlice(offset, target.byteSize()));
      pull.received(target.byteSize());
      return pull;
    }
    return world.pull(rank, slot(group.member(other)), offer.start() + offset, target);
  }

  /** Waits until all that was fetched is there. */
  void await(Collection<Pull> pulls) {
    synchronized (world) {
      world.await(
          rank,
          exchange,
          () -> pulls.stream().filter(pull -> !pull.isDone()).map(Pull::source).toList());
    }
  }

  /** Tells the others that what they were offered is complete. */
  void ready() {
    for (int other : others(_ -> true)) {
      world.send(Frame.of(Kind.READY, slot(-1), rank.rank(), group.member(other)));
    }
  }

  /** Waits until what another rank has offered is complete. */
  void awaitReady(int other) {
    Slot slot = slot(group.member(other));
    synchronized (world) {
      world.await(
          rank, exchange, () -> rank.ready.contains(slot) ? List.of() : List.of(slot.peer()));
    }
  }

  /** Waits until the others have what they need of this rank. */
  void end() {
    synchronized (world) {
      for (int other : others(other -> offer(other).data() == null)) {
        world.send(Frame.of(Kind.DONE, slot(-1), rank.rank(), group.member(other)));
      }
      world.await(rank, exchange, () -> readers);
      rank.windows.remove(slot(-1));
      for (int other : others(_ -> true)) {
        rank.offers.remove(slot(group.member(other)));
        rank.ready.remove(slot(group.member(other)));
      }
    }
  }

  private boolean hasOffered(int other) {
    return rank.offers.containsKey(slot(group.member(other)));
  }

  private Offer offer(int other) {
    return Objects.requireNonNull(rank.offers.get(slot(group.member(other))));
  }

  private List<Integer> members(IntPredicate chosen) {
    return others(chosen).stream().map(group::member).toList();
  }

  private List<Integer> others(IntPredicate chosen) {
    return IntStream.range(0, size())
        .filter(other -> other != self && chosen.test(other))
        .boxed()
        .toList();
  }

  private Slot slot(int peer) {
    return new Slot(group.id(), number, false, peer);
  }
}
