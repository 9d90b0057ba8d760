package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.Pending;
import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor on its way to another rank, as the sender sees it: done when the receiver has it. The
 * sender leaves the tensor alone until then.
 */
final class Message implements Pending {
  private final TcpWorld world;
  private final Endpoint rank;
  private final Slot slot;
  private final Exchange exchange;
  private final Tensor sent;
  private final Tensor host;
  private final Window window;
  private final Runnable completion;
  private boolean joined;

  /**
   * Offers a message.
   *
   * @param sent a dense tensor
   * @param host the tensor, or a copy on the CPU that this object owns
   */
  Message(
      TcpWorld world,
      Endpoint rank,
      Slot slot,
      Exchange exchange,
      Tensor sent,
      Tensor host,
      Runnable completion) {
    this.world = world;
    this.rank = rank;
    this.slot = slot;
    this.exchange = exchange;
    this.sent = sent;
    this.host = host;
    this.completion = completion;
    if (host != sent) {
      rank.keep(host);
    }
    HostMemory memory = HostCopy.memoryOf(host);
    window = world.open(rank, slot, memory, List.of(slot.peer()));
    world.offer(
        rank,
        slot,
        slot.peer(),
        Offer.of(exchange, TcpCommunicator.shape(sent), memory, Offer.Part.all(memory)));
  }

  @Override
  public void join() {
    if (joined) {
      return;
    }
    synchronized (world) {
      world.await(rank, exchange, window::readers);
      rank.windows.remove(slot);
    }
    if (host != sent) {
      rank.letGo(host);
    }
    joined = true;
    completion.run();
  }

  @Override
  public boolean isDone() {
    synchronized (world) {
      return joined || window.readers().isEmpty();
    }
  }

  @Override
  public @Nullable Throwable failure() {
    return world.failure();
  }
}
