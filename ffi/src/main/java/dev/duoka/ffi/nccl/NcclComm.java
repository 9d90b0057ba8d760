package dev.duoka.ffi.nccl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * One rank's communicator of NCCL, whose calls never block: each launches on a stream and is polled
 * until the host's part is done. Addresses are of device memory that must live until the stream has
 * passed the call. One thread, but for {@link #abort}.
 */
public final class NcclComm {
  static final int IN_PROGRESS = 7;
  private static final int SUM = 0;

  private final Nccl nccl;

  /** Kept as long as this object: NCCL's own thread may write to it after the call that made it. */
  private final MemorySegment place;

  private volatile long handle;

  /**
   * A communicator that is being made.
   *
   * @param place where the library has written its handle
   */
  NcclComm(Nccl nccl, MemorySegment place) {
    this.nccl = nccl;
    this.place = place;
    this.handle = place.get(JAVA_LONG, 0);
  }

  /**
   * How long a call may take on the host before it is given up.
   *
   * @param limit for the other ranks to come
   * @param stopped whether the run has ended meanwhile
   */
  public record Patience(Duration limit, BooleanSupplier stopped) {}

  /** Sums {@code count} numbers over all ranks, in place. */
  public void allReduce(long buffer, long count, NcclDtype dtype, long stream, Patience patience) {
    try {
      settle(
          (int)
              nccl.functions()
                  .allReduce
                  .invokeExact(buffer, buffer, count, dtype.code, SUM, handle, stream),
          "ncclAllReduce",
          patience);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Sums over all ranks; each receives its part of {@code count} numbers. */
  public void reduceScatter(
      long from, long to, long count, NcclDtype dtype, long stream, Patience patience) {
    try {
      settle(
          (int)
              nccl.functions()
                  .reduceScatter
                  .invokeExact(from, to, count, dtype.code, SUM, handle, stream),
          "ncclReduceScatter",
          patience);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Collects {@code count} numbers of each rank, in their order. */
  public void allGather(
      long from, long to, long count, NcclDtype dtype, long stream, Patience patience) {
    try {
      settle(
          (int) nccl.functions().allGather.invokeExact(from, to, count, dtype.code, handle, stream),
          "ncclAllGather",
          patience);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Replaces {@code count} numbers by those of rank {@code root}. */
  public void broadcast(
      long buffer, long count, NcclDtype dtype, int root, long stream, Patience patience) {
    try {
      settle(
          (int)
              nccl.functions()
                  .broadcast
                  .invokeExact(buffer, buffer, count, dtype.code, root, handle, stream),
          "ncclBroadcast",
          patience);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Launches several sends and receives as one. */
  public void grouped(Runnable calls, Patience patience) {
    try {
      nccl.check((int) nccl.functions().groupStart.invokeExact(), handle, "ncclGroupStart");
      boolean complete = false;
      try {
        calls.run();
        complete = true;
      } finally {
        int result = (int) nccl.functions().groupEnd.invokeExact();
        if (complete) {
          settle(result, "ncclGroupEnd", patience);
        }
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Sends {@code count} numbers to a rank; within {@link #grouped}. */
  public void send(long from, long count, NcclDtype dtype, int to, long stream) {
    try {
      nccl.check(
          (int) nccl.functions().send.invokeExact(from, count, dtype.code, to, handle, stream),
          handle,
          "ncclSend");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Receives {@code count} numbers from a rank; within {@link #grouped}. */
  public void receive(long to, long count, NcclDtype dtype, int from, long stream) {
    try {
      nccl.check(
          (int) nccl.functions().receive.invokeExact(to, count, dtype.code, from, handle, stream),
          handle,
          "ncclRecv");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** The communicator of the ranks of the same color, in the order of {@code key}. Collective. */
  public NcclComm split(int color, int key, Patience patience) {
    Arena lasting = Arena.ofAuto();
    try {
      MemorySegment child = lasting.allocate(JAVA_LONG);
      int result =
          (int)
              nccl.functions()
                  .split
                  .invokeExact(
                      handle, color, key, child, NcclConfig.nonblocking(lasting, nccl.version()));
      ready(result, "ncclCommSplit", patience);
      NcclComm comm = new NcclComm(nccl, child);
      comm.ready(0, "ncclCommSplit", patience);
      return comm;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Why it can never go on; empty while all is well. Never waits; any thread may ask. */
  public String failure() {
    long comm = handle;
    if (comm == 0) {
      return "it was aborted";
    }
    int state = state(comm);
    return state == 0 || state == IN_PROGRESS
        ? ""
        : String.valueOf(nccl.failure(state, comm, "a collective").getMessage());
  }

  /**
   * Polls until a communicator is made or finished. Such a call may say that it succeeded while its
   * work goes on in NCCL's own thread: only the communicator's state tells.
   */
  void ready(int result, String function, Patience patience) {
    nccl.check(result, handle, function);
    settle(IN_PROGRESS, function, patience);
    handle = place.get(JAVA_LONG, 0);
  }

  /** Polls until the host's part of a call is done. */
  private void settle(int result, String function, Patience patience) {
    long comm = handle;
    nccl.check(result, comm, function);
    int state = result;
    long end = System.nanoTime() + patience.limit().toNanos();
    LongSupplier left = () -> end - System.nanoTime();
    while (state == IN_PROGRESS) {
      Thread.onSpinWait();
      if (handle == 0 || patience.stopped().getAsBoolean()) {
        throw lost(function, "was given up: the run has ended");
      }
      state = state(comm);
      nccl.check(state, comm, function);
      if (state == IN_PROGRESS && left.getAsLong() < 0) {
        throw lost(
            function,
            "is not done after " + patience.limit().toSeconds() + " s: a rank is missing");
      }
    }
  }

  private static DuokaException lost(String function, String what) {
    return new DuokaException(ErrorCode.RANK_LOST, function + " " + what, "");
  }

  private int state(long comm) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(JAVA_INT);
      int result = (int) nccl.functions().asyncError.invokeExact(comm, state);
      return result == 0 ? state.get(JAVA_INT, 0) : result;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Ends whatever runs on the device and frees the communicator. Any thread may call it, when none
   * is inside another call; every rank must. A second call does nothing.
   */
  public void abort() {
    long comm = take();
    if (comm != 0) {
      try {
        int result = (int) nccl.functions().abort.invokeExact(comm);
        nccl.check(result, 0, "ncclCommAbort");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  /**
   * Frees the communicator when all that was launched has run; aborts it where that does not come
   * to its end in time. All ranks of a node call it.
   */
  public void close(Patience patience) {
    long comm = handle;
    if (comm == 0) {
      return;
    }
    try {
      ready((int) nccl.functions().finish.invokeExact(comm), "ncclCommFinalize", patience);
    } catch (DuokaException e) {
      abort();
      return;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    long ended = take();
    if (ended != 0) {
      try {
        nccl.check((int) nccl.functions().destroy.invokeExact(ended), 0, "ncclCommDestroy");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  private synchronized long take() {
    long comm = handle;
    handle = 0;
    return comm;
  }
}
