package dev.duoka.comm.local;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.Pending;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tensor on its way from one rank to another, as the sender sees it. The receiver copies it. */
final class Message implements Pending {
  private final LocalGroup group;
  private final int from;
  private final int to;
  private final Tensor tensor;
  private final StreamMark ready = new StreamMark();
  private final StreamMark copied = new StreamMark();
  private final Exchange call;
  private final Runnable completion;
  private boolean taken;
  private boolean joined;

  /** A message; the sender must leave the tensor alone until it has joined. */
  Message(LocalGroup group, int from, int to, Tensor tensor, Exchange call, Runnable completion) {
    this.call = call;
    this.group = group;
    this.from = from;
    this.completion = completion;
    this.to = to;
    this.tensor = tensor;
    ready.set(tensor.device());
  }

  Tensor tensor() {
    return tensor;
  }

  StreamMark ready() {
    return ready;
  }

  /** Called by the receiver when its copy is launched. */
  void taken(StreamMark mark, Tensor target) {
    mark.set(target.device());
    synchronized (group.world()) {
      taken = true;
      group.world().notifyAll();
    }
  }

  StreamMark copied() {
    return copied;
  }

  @Override
  public void join() {
    if (joined) {
      return;
    }
    synchronized (group.world()) {
      group.world().await(group.member(from), call, List.of(group.member(to)), () -> taken);
    }
    copied.holdBack(tensor.device());
    joined = true;
    completion.run();
    ready.close();
    copied.close();
  }

  @Override
  public boolean isDone() {
    synchronized (group.world()) {
      return joined || (taken && copied.isReached());
    }
  }

  @Override
  public @Nullable Throwable failure() {
    return group.world().failure();
  }
}
