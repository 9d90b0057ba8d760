package dev.duoka.comm.tcp;

import dev.duoka.ffi.torch.HostMemory;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Stretches of tensors on their way: {@link Window windows} that ranks of this process keep open,
 * and {@link Pull pulls} by which they fetch from others.
 *
 * <p>Guarded by the world; the bytes themselves are copied without its lock, between a method that
 * begins and one that ends. Ranks open, ask and copy. Threads of connections send and receive, and
 * none of the methods for them waits. After exchange has ended nobody begins any more.
 */
final class Transfers {
  private final WorldLock lock;
  private final Endpoints endpoints;
  private final Links links;
  private final Ending ending;
  private final TensorAccess access;

  /** What was asked of other processes and has not come whole, by the request's number. */
  private final Map<Long, Pull> pulls = new HashMap<>();

  Transfers(WorldLock lock, Endpoints endpoints, Links links, Ending ending, TensorAccess access) {
    this.lock = lock;
    this.endpoints = endpoints;
    this.links = links;
    this.ending = ending;
    this.access = access;
  }

  // For ranks.

  /** As {@link TcpWorld#open}. */
  Window open(Endpoint rank, Slot slot, HostMemory memory, Collection<Integer> readers) {
    ending.throwIfCome();
    Window window = new Window(rank, memory, readers);
    rank.windows.put(slot, window);
    return window;
  }

  /** Asks another process for a stretch, if it is not empty. */
  void ask(Pull pull, Slot slot, long offset) {
    ending.throwIfCome();
    long length = pull.target().byteSize();
    if (length > 0) {
      long request = links.nextRequest();
      pulls.put(request, pull);
      links.send(
          slot.peer(), Frame.pull(slot, pull.owner().rank(), slot.peer(), request, offset, length));
    }
  }

  /** From where a rank may copy what another one of this process offers, until {@link #endCopy}. */
  HostMemory startCopy(Pull pull, Slot slot, long offset) {
    ending.throwIfCome();
    int reader = pull.owner().rank();
    Window window = endpoints.of(slot.peer()).windows.get(slot.ofWindow(reader));
    if (window == null) {
      throw ending.lose(
          reader, "rank " + slot.peer() + " has finished, but rank " + reader + " reads it");
    }
    HostMemory from = window.stretch(offset, pull.target().byteSize());
    access.copyBegins();
    return from;
  }

  /** The rank does not copy any more, whether it has all or has failed. */
  void endCopy() {
    access.copyEnds();
  }

  /** The copy is whole. */
  void copied(Pull pull) {
    pull.received(pull.target().byteSize());
    lock.changed();
  }

  /** Forgets all that was shown and asked for: exchange begins again. Nobody is at a tensor. */
  void beginAgain() {
    pulls.clear();
    endpoints.all().forEach(Endpoint::beginAgain);
  }

  // For threads of connections.

  /** Queues the stretch that another process asks for. */
  void serve(Link link, Frame pull) {
    ByteBuffer range = pull.body().duplicate();
    Slot slot = pull.slot(pull.to()).ofWindow(pull.from());
    Window window = endpoints.of(pull.to()).windows.get(slot);
    if (window != null) { // else its rank has finished, and its process says so
      link.send(window, pull.first(), range.getLong(), range.getLong());
    }
  }

  /** As {@link LinkReports#startSending}. */
  boolean startSending(Link link, Window window) {
    if (ending.hasCome() || window.isForgotten()) {
      return false;
    }
    access.begins(link);
    return true;
  }

  /** As {@link LinkReports#endSending}. */
  void endSending(Link link, Window window) {
    access.ends(link);
    window.owner().progressed();
    lock.changed();
  }

  /** As {@link LinkReports#startReceiving}. */
  @Nullable Pull startReceiving(Link link, long request) {
    Pull pull = pulls.get(request);
    if (ending.hasCome() || pull == null || !link.peer().holds(pull.source())) {
      return null;
    }
    access.begins(link);
    return pull;
  }

  /** As {@link LinkReports#endReceiving}. */
  void endReceiving(Link link, long request, Pull pull, long bytes) {
    access.ends(link);
    pull.owner().progressed();
    if (bytes > 0) {
      pull.received(bytes);
      if (pull.isDone()) {
        pulls.remove(request);
      }
    }
    lock.changed();
  }
}
