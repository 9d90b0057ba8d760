package dev.duoka.comm.local;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.Pending;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that another rank sends, as the receiver sees it: the first reception gets the first
 * message, in whichever order they are joined. {@link #join} launches the copy.
 */
final class Reception implements Pending {
  private final LocalGroup group;
  private final int from;
  private final int rank;
  private final long number;
  private final Tensor target;
  private final Exchange call;
  private final Runnable completion;
  private boolean joined;

  Reception(
      LocalGroup group, int from, int rank, Tensor target, Exchange call, Runnable completion) {
    this.call = call;
    this.completion = completion;
    this.group = group;
    this.from = from;
    this.rank = rank;
    this.target = target;
    number = group.expect(from, rank);
  }

  @Override
  public void join() {
    if (joined) {
      return;
    }
    Message message = group.take(from, rank, number, call);
    try {
      copy(message);
    } finally {
      group.world().endCopyFrom(group.member(from));
    }
    joined = true;
    completion.run();
  }

  private void copy(Message message) {
    Tensor source = message.tensor();
    if (source.dtype() != target.dtype() || !Arrays.equals(source.shape(), target.shape())) {
      throw new DuokaException(
          ErrorCode.RANK_LOST,
          "rank "
              + group.member(rank)
              + " expects "
              + target
              + " from rank "
              + group.member(from)
              + ", which sends "
              + source
              + " in "
              + call,
          "");
    }
    message.ready().holdBack(target.device());
    Copies.into(target, source);
    message.taken(message.copied(), target);
  }

  @Override
  public boolean isDone() {
    return joined || group.hasMessage(from, rank, number);
  }

  @Override
  public @Nullable Throwable failure() {
    return group.world().failure();
  }
}
