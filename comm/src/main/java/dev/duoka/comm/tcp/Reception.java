package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.Pending;
import dev.duoka.comm.tcp.Frame.Kind;
import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that another rank sends, as the receiver sees it. What comes from another process comes
 * in as soon as it is offered; the rest is done in {@link #join}.
 */
final class Reception implements Pending {
  private final TcpWorld world;
  private final Endpoint rank;
  private final Slot slot;
  private final Exchange exchange;
  private final Tensor target;
  private final Tensor host;
  private final HostMemory memory;
  private final String shown;
  private final Runnable completion;
  private @Nullable Pull pull;
  private boolean joined;

  /**
   * Expects a message.
   *
   * @param target a dense tensor
   * @param host the target, or a CPU tensor of its size that this object owns
   */
  Reception(
      TcpWorld world,
      Endpoint rank,
      Slot slot,
      Exchange exchange,
      Tensor target,
      Tensor host,
      Runnable completion) {
    this.world = world;
    this.rank = rank;
    this.slot = slot;
    this.exchange = exchange;
    this.target = target;
    this.host = host;
    this.memory = HostCopy.memoryOf(host);
    this.shown = TcpCommunicator.shape(target);
    this.completion = completion;
    if (host != target) {
      rank.keep(host);
    }
    synchronized (world) {
      Offer offer = rank.offers.get(slot);
      if (offer == null) {
        rank.receptions.put(slot, this);
      } else {
        offered(offer);
      }
    }
  }

  /** The message is there to be pulled. The world's lock is held. */
  void offered(Offer offer) {
    boolean isRemote = offer.data() == null && !world.isHere(slot.peer());
    if (isRemote && isExpected(offer) && !world.isBroken()) {
      pull = world.pull(rank, slot, offer.start(), memory);
    }
  }

  private boolean isExpected(Offer offer) {
    return offer.shown().equals(shown);
  }

  @Override
  public void join() {
    if (joined) {
      return;
    }
    Offer offer;
    synchronized (world) {
      world.await(rank, exchange, () -> rank.offers.containsKey(slot) ? List.of() : sender());
      offer = Objects.requireNonNull(rank.offers.remove(slot));
    }
    if (!isExpected(offer)) {
      throw world.lose(
          rank.rank(),
          "rank "
              + rank.rank()
              + " expects "
              + shown
              + " from rank "
              + slot.peer()
              + ", which sends "
              + offer.shown()
              + " in "
              + exchange);
    }
    take(offer);
    if (host != target) {
      Copies.into(target, host);
      rank.letGo(host);
    }
    joined = true;
    completion.run();
    world.send(Frame.of(Kind.DONE, slot, rank.rank(), slot.peer()));
  }

  private void take(Offer offer) {
    HostMemory data = offer.data();
    if (data != null) {
      memory.copyFrom(data);
      return;
    }
    Pull started = pull;
    if (started == null) {
      started = world.pull(rank, slot, offer.start(), memory);
      pull = started;
    }
    Pull running = started;
    synchronized (world) {
      world.await(rank, exchange, () -> running.isDone() ? List.of() : sender());
    }
  }

  private List<Integer> sender() {
    return List.of(slot.peer());
  }

  @Override
  public boolean isDone() {
    synchronized (world) {
      Offer offer = rank.offers.get(slot);
      return joined
          || (pull != null && pull.isDone())
          || (offer != null && (offer.data() != null || world.isHere(slot.peer())));
    }
  }

  @Override
  public @Nullable Throwable failure() {
    return world.failure();
  }
}
