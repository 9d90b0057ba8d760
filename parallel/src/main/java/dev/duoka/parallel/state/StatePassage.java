package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWBuffers;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way of a rank's states from host memory through buffers on its device and back, in pieces:
 * one piece comes while the one before it is worked on and the one before that leaves. Copies run
 * on a stream for each way and kernels on one of their own, which events order; no thread waits. On
 * other devices than GPUs each has ended when it returns.
 *
 * <p>Updates of all slices stand in a line, in the order in which their weights are used, and are
 * launched little by little as these are asked for. Together they are thousands of launches for
 * each stream, which takes about a thousand and then holds up the thread: had one to launch all of
 * them before the next forward pass, nothing of that would run beside them.
 *
 * <p>One thread.
 */
final class StatePassage implements AutoCloseable {
  /**
   * Weights of a piece where all states pass: with moments in fp32 80 MiB of states, 2 ms of a link
   * of 44 GB/s. A kernel for each piece waits for the end of a product of the next forward pass, so
   * that smaller ones get in too seldom. The first to come and the last to leave, which nothing
   * hides, take longer with larger ones. 7B on one card and host: 2,017 ms in pieces of 2^22, 1,987
   * of 2^23; on another 1,891 of 2^23, 1,930 of 2^24.
   */
  private static final long PIECE = 1L << 23;

  /**
   * Where the states of the first layers stay, the forward pass has the card all the time, and a
   * kernel gets in as each of its products ends. 7B with half of its states away, on one host each:
   * 1,966 ms in pieces of 2^22 and 1,756 of 2^24; 1,547 of 2^24 and 1,554 of 2^25.
   */
  private static final long PIECE_OF_A_PART = 1L << 24;

  /** Pieces that are launched before their weights are asked for, at least. */
  static final long AHEAD = 16;

  /**
   * One that comes, one that is worked on, one that leaves, and those that wait for the kernel
   * while a product of the next forward pass has the card: with three the link stood still
   * meanwhile.
   */
  private static final int BUFFERS = 8;

  /** Six made a step slower there: 1,809 ms for 1,616, on one host. */
  private static final int BUFFERS_OF_A_PART = 3;

  /** Buffers in all hold no more than this part of the states, beyond the three that must be. */
  private static final int PART_OF_STATES = 4;

  private final Device device;
  private final HostTransfer transfer;
  private final HostTransfer.Lane lane;
  private final long piece;
  private final List<Buffer> buffers = new ArrayList<>();
  private final Resources owned;
  private @Nullable Tensor squaredNorm;
  private final Deque<PassingStates> line = new ArrayDeque<>();
  private long ahead;
  private boolean failed;
  private int turn;

  /** What is done with a piece while it is on the device. */
  @FunctionalInterface
  interface Work {
    /**
     * Launches it.
     *
     * @param part with the states on the device
     * @param start where it starts in the slice
     * @param lane where to launch; null for the calling thread's stream
     */
    void on(AdamWBuffers part, long start, HostTransfer.@Nullable Lane lane);
  }

  /** Which of the states come and leave. */
  enum Way {
    /** All come and leave again. */
    ROUND,
    /** Master weights that are copies come. */
    MASTERS_COME,
    /** Master weights that are copies leave. */
    MASTERS_LEAVE
  }

  /**
   * What a pass leaves behind.
   *
   * @param worked when all pieces are worked on
   * @param ended when nothing of it is on its way
   */
  record Ends(HostTransfer.Mark worked, HostTransfer.Mark ended) {
    static final Ends NONE = new Ends(HostTransfer.Mark.NONE, HostTransfer.Mark.NONE);
  }

  /** The states of a piece on the device, and when they may be overwritten. */
  private static final class Buffer {
    final @Nullable Tensor master;
    final Tensor first;
    final @Nullable Tensor firstScales;
    final Tensor second;
    final @Nullable Tensor secondScales;
    HostTransfer.Mark free = HostTransfer.Mark.NONE;

    Buffer(AdamWBuffers like, Resources made, Device device, long length) {
      master = of(like.master(), made, device, length);
      first = made.own(empty(like.firstMoment().dtype(), device, length));
      firstScales = of(like.firstScales(), made, device, length / AdamWKernel.BLOCK);
      second = made.own(empty(like.secondMoment().dtype(), device, length));
      secondScales = of(like.secondScales(), made, device, length / AdamWKernel.BLOCK);
    }

    private static @Nullable Tensor of(
        @Nullable Tensor like, Resources made, Device device, long length) {
      return like == null ? null : made.own(empty(like.dtype(), device, length));
    }

    private static Tensor empty(Dtype dtype, Device device, long length) {
      try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
        return Scope.detach(Tensors.empty(dtype, device, length));
      }
    }

    /** The part with these in place of the states at home. */
    AdamWBuffers with(AdamWBuffers home) {
      long length = home.values().size(0);
      return new AdamWBuffers(
          home.values(),
          narrow(master, length),
          home.gradients(),
          Views.narrow(first, 0, 0, length),
          narrow(firstScales, length / AdamWKernel.BLOCK),
          Views.narrow(second, 0, 0, length),
          narrow(secondScales, length / AdamWKernel.BLOCK));
    }

    private static @Nullable Tensor narrow(@Nullable Tensor tensor, long length) {
      return tensor == null ? null : Views.narrow(tensor, 0, 0, length);
    }
  }

  /**
   * A passage without buffers yet.
   *
   * @param piece weights of a piece, a multiple of 128
   */
  StatePassage(Device device, long piece) {
    this.device = device;
    this.piece = piece;
    try (Resources made = new Resources()) {
      transfer = made.own(new HostTransfer(device));
      lane = transfer.newLane();
      owned = made.release();
    }
  }

  /**
   * Weights whose states pass together.
   *
   * @param fraction of the weights whose states pass
   */
  static long piece(double fraction) {
    return fraction < 1 ? PIECE_OF_A_PART : PIECE;
  }

  /**
   * How many buffers are allocated at most.
   *
   * @param fraction of the weights whose states pass
   */
  static int buffers(double fraction) {
    return fraction < 1 ? BUFFERS_OF_A_PART : BUFFERS;
  }

  /**
   * Allocates buffers for slices of states that are all of one form.
   *
   * @param most how many; fewer where those were as large as all the states
   */
  void makeRoom(List<AdamW> slices, int most) {
    long longest = slices.stream().mapToLong(AdamW::length).max().orElse(0);
    if (longest == 0) {
      return;
    }
    long all = slices.stream().mapToLong(AdamW::length).sum();
    long worth = all / PART_OF_STATES / Math.min(longest, piece);
    int count = Math.clamp(worth, BUFFERS_OF_A_PART, most);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      AdamWBuffers like = slices.getFirst().part(0, 0);
      for (int i = 0; i < count; i++) {
        buffers.add(new Buffer(like, owned, device, Math.min(longest, piece)));
      }
      squaredNorm = owned.own(Buffer.empty(Dtype.FLOAT64, device, 1));
      for (Buffer buffer : buffers) {
        buffer.free = transfer.now(); // what had its memory before may be at work yet
      }
    }
  }

  HostTransfer transfer() {
    return transfer;
  }

  /** Lets states stand in line for an update, behind all that do. */
  void lineUp(PassingStates states) {
    line.add(states);
    launchAhead();
  }

  /** Launches the update of states that somebody asks for, and of those behind them a few. */
  void askFor(PassingStates states) {
    while (line.contains(states)) {
      launchNext();
    }
    ahead -= states.length();
    launchAhead();
  }

  private void launchAhead() {
    while (ahead < AHEAD * piece && !line.isEmpty()) {
      launchNext();
    }
  }

  private void launchNext() {
    PassingStates next = line.remove();
    ahead += next.length();
    boolean before = failed;
    failed = true;
    next.launchLinedUp();
    failed = before;
  }

  /** Whether an update could not be launched, and so weights are those of no step. */
  boolean hasFailed() {
    return failed;
  }

  /**
   * Keeps the squared norm until the updates by it have ended, which the caller's stream awaits.
   */
  Tensor keep(Tensor norm) {
    Tensor kept = squaredNorm;
    if (kept == null) {
      throw new IllegalStateException("there are no states here");
    }
    Copies.into(kept, norm);
    return kept;
  }

  /**
   * Launches the way of all pieces of a slice.
   *
   * @param before of the last pass of the slice, which is forgotten
   * @param after what kernels that run beside the calling thread's stream wait for, forgotten too;
   *     whoever uses the weights then waits for {@link Ends#worked}. Null for kernels on that
   *     stream
   */
  Ends pass(AdamW states, Way way, Ends before, HostTransfer.@Nullable Mark after, Work work) {
    HostTransfer.Lane on = after == null ? null : lane;
    if (after != null) {
      lane.holdBack(after);
      after.forget();
    }
    for (long next = 0; next < states.length(); next += piece) {
      long start = next;
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) { // of views
        AdamWBuffers home = states.part(start, Math.min(piece, states.length() - start));
        Buffer buffer = buffers.get(turn++ % buffers.size());
        AdamWBuffers here = buffer.with(home);
        pass(buffer, home, here, way, before.ended(), on, () -> work.on(here, start, on));
      }
    }
    before.worked().forget();
    before.ended().forget();
    // The last to leave has ended when all have; where nothing leaves, the last kernel.
    HostTransfer.Mark worked = now(on);
    HostTransfer.Mark ended =
        way == Way.MASTERS_COME ? now(on) : transfer.toHost(List.of(), List.of());
    return new Ends(worked, ended);
  }

  private void pass(
      Buffer buffer,
      AdamWBuffers home,
      AdamWBuffers here,
      Way way,
      HostTransfer.Mark before,
      HostTransfer.@Nullable Lane on,
      Runnable work) {
    if (way == Way.MASTERS_LEAVE) {
      holdBack(on, buffer.free);
    } else {
      HostTransfer.Mark arrived =
          transfer.toDevice(states(here, way), states(home, way), buffer.free, before);
      holdBack(on, arrived);
      arrived.forget();
    }
    work.run();
    HostTransfer.Mark worked = now(on);
    buffer.free.forget();
    if (way == Way.MASTERS_COME) {
      buffer.free = worked;
    } else {
      buffer.free = transfer.toHost(states(home, way), states(here, way), worked);
      worked.forget();
    }
  }

  private static List<Tensor> states(AdamWBuffers of, Way way) {
    List<Tensor> there = new ArrayList<>();
    add(there, of.master());
    if (way == Way.ROUND) {
      add(there, of.firstMoment());
      add(there, of.firstScales());
      add(there, of.secondMoment());
      add(there, of.secondScales());
    }
    return there;
  }

  private static void add(List<Tensor> tensors, @Nullable Tensor tensor) {
    if (tensor != null) {
      tensors.add(tensor);
    }
  }

  private static void holdBack(HostTransfer.@Nullable Lane on, HostTransfer.Mark until) {
    if (on == null) {
      until.holdBack();
    } else {
      on.holdBack(until);
    }
  }

  private HostTransfer.Mark now(HostTransfer.@Nullable Lane on) {
    return on == null ? transfer.now() : on.now();
  }

  /** Waits until nothing is on its way. */
  void drain() {
    HostTransfer.Mark worked = lane.now();
    worked.await();
    worked.forget();
    transfer.await();
  }

  @Override
  public void close() {
    line.clear();
    try (owned) {
      drain();
    }
  }
}
