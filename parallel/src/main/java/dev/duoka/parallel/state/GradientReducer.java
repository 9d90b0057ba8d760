package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sums gradients over the ranks, bucket by bucket: each as soon as the last gradient of its
 * parameters is there ({@link #ready}), the rest of a stage behind its last backward pass ({@link
 * #reduce}), and what is left in {@link #finish}.
 *
 * <p>A bucket whose whole gradients are here is reduced once a step. Of any other (ZeRO stage 2)
 * each backward pass is reduced by itself into the rank's shard, and its whole gradients are here
 * only from the first to the last of a pass: in one of two buffers, so that a block computes while
 * the one before it is reduced.
 *
 * <p>In which order depends on the model and the schedule alone, so it is the same on all ranks of
 * a group. One thread. Every launch is collective.
 */
public final class GradientReducer implements AutoCloseable {
  /** Buffers of one length before a reduction is waited for. */
  private static final int BUFFERS = 2;

  private final List<StateSlice> slices;
  private final GradientGroups groups;
  private final Map<Dtype, Slots> slots = new EnumMap<>(Dtype.class);
  private final IdentityHashMap<Bucket, State> states = new IdentityHashMap<>();
  private final Deque<Launched> launched = new ArrayDeque<>();
  private final Deque<ForHost> forHost = new ArrayDeque<>();
  private final Deque<Leaving> leaving = new ArrayDeque<>();
  private final ParameterStore store;
  private final @Nullable HostWorker worker;
  private boolean finished;

  /** Where the gradients of a bucket are in this step. */
  private static final class State {
    final StateSlice slice;
    int missing;
    boolean done;
    boolean shardIsFresh = true;

    State(StateSlice slice) {
      this.slice = slice;
    }

    void begin() {
      missing = slice.bucket().parameters().size();
      done = false;
      shardIsFresh = true;
    }
  }

  /**
   * A reduction on its way.
   *
   * @param buffer of the whole gradients, to be used again afterwards; null for the bucket's own
   * @param addend what is to be added to the shard afterwards; null for nothing
   */
  private record Launched(
      StateSlice slice, Pending pending, @Nullable Tensor buffer, @Nullable Tensor addend) {}

  /**
   * Gradients that are reduced and on their way to the host, or will be.
   *
   * @param whole the buffer of the whole gradients, to be used again afterwards
   * @param part what of it this rank keeps: all of it, or a buffer of its own
   * @param fresh whether they are the first of a sum
   * @param last whether they complete it
   */
  private record ForHost(
      StateSlice slice, Pending pending, Tensor whole, Tensor part, boolean fresh, boolean last) {}

  /** Buffers that are free when a copy has ended. */
  private record Leaving(HostTransfer.Mark copied, Tensor whole, Tensor part) {}

  /**
   * A reducer of some slices.
   *
   * @param worker works on states in host memory; null for none
   */
  GradientReducer(
      ParameterStore store,
      List<StateSlice> slices,
      GradientGroups groups,
      @Nullable HostWorker worker) {
    this.store = store;
    this.worker = worker;
    this.slices = slices;
    this.groups = groups;
    for (StateSlice slice : slices) {
      states.put(slice.bucket(), new State(slice));
      if (!slice.keepsWholeGradients()) {
        slice
            .bucket()
            .gradientsFrom(
                () -> buffer(slots(slice.bucket().gradientDtype()), slice.bucket().length()));
      }
    }
    begin();
  }

  /** Forgets the step that was: all gradients are to be summed again. */
  public void begin() {
    finished = false;
    states.values().forEach(State::begin);
  }

  /**
   * Forgets a step that has failed, with what of it is on its way to nobody any more. Not where
   * gradients go to host memory.
   */
  void takeBack() {
    for (Launched one : launched) {
      if (one.addend() != null) {
        one.addend().close();
      }
      if (one.buffer() != null) {
        slotsOf(one.buffer()).giveBack(one.buffer());
      }
    }
    launched.clear();
    for (StateSlice slice : slices) {
      Bucket bucket = slice.bucket();
      if (!slice.keepsWholeGradients() && bucket.hasGradients()) {
        Tensor whole = bucket.gradients();
        bucket.releaseGradients();
        slotsOf(whole).giveBack(whole);
      }
    }
    begin();
  }

  /**
   * Notes that a backward pass adds nothing more to a parameter's gradient.
   *
   * @param last whether no other pass of this step will, either
   */
  public void ready(Parameter parameter, boolean last) {
    State state = states.get(parameter.bucket());
    if (state == null || (state.slice.keepsWholeGradients() && !last)) {
      return;
    }
    if (--state.missing == 0) {
      reduce(state, last);
      if (!state.slice.keepsWholeGradients()) {
        state.missing = state.slice.bucket().parameters().size();
      }
    }
  }

  /** Launches what is left of some blocks, to whose gradients nothing more will be added. */
  public void reduce(BlockRange blocks) {
    for (StateSlice slice : slices) {
      if (blocks.contains(slice.bucket().key().block())) {
        reduce(state(slice), true);
      }
    }
  }

  /**
   * Launches what is left and lets the current stream wait for all of it; then sums what replicas
   * and two stages have. A second call in the same step does nothing.
   */
  public void finish() {
    if (finished) {
      return;
    }
    finished = true;
    for (StateSlice slice : slices) {
      reduce(state(slice), true);
    }
    while (!launched.isEmpty()) {
      settle();
    }
    awaitHost();
    for (StateSlice slice : slices) {
      if (!slice.keepsWholeGradients() && state(slice).shardIsFresh) {
        Tensors.zero(slice.gradients());
      }
    }
    slices.forEach(slice -> sum(slice, slice.replicas()));
    for (StateSlice slice : slices) {
      groups.twin().apply(slice.bucket()).ifPresent(twin -> sum(slice, twin));
    }
  }

  private State state(StateSlice slice) {
    State state = states.get(slice.bucket());
    if (state == null) {
      throw new IllegalStateException(slice.bucket() + " is not reduced here");
    }
    return state;
  }

  /**
   * Launches the reduction of what a bucket has.
   *
   * @param last whether nothing will be added to it in this step
   */
  private void reduce(State state, boolean last) {
    StateSlice slice = state.slice;
    Bucket bucket = slice.bucket();
    if (slice.keepsWholeGradients() ? state.done : !bucket.hasGradients()) {
      return;
    }
    state.done = true;
    slice.arrive(); // an update on its way reads what is overwritten here
    bucket.zeroUntouchedGradients();
    try (Purpose _ = purpose(bucket)) {
      bucket.parameters().forEach(this::sumCopies);
      launch(state, last);
    }
  }

  private static Purpose purpose(Bucket bucket) {
    return Purpose.of("gradients of " + bucket.weights());
  }

  private void launch(State state, boolean last) {
    StateSlice slice = state.slice;
    Bucket bucket = slice.bucket();
    if (!slice.keepsWholeGradients()) {
      reduceIntoShard(state, last);
    } else if (slice.group().size() > 1) {
      Pending pending =
          slice.isSharded()
              ? slice.group().reduceScatter(bucket.gradients(), slice.gradients())
              : slice.group().allReduce(bucket.gradients());
      launched.add(new Launched(slice, pending, null, null));
    }
  }

  private void reduceIntoShard(State state, boolean last) {
    StateSlice slice = state.slice;
    Tensor whole = slice.bucket().gradients();
    slice.bucket().releaseGradients();
    if (slice.isOnHost()) {
      reduceForHost(state, whole, last);
      return;
    }
    Tensor addend = null;
    if (!state.shardIsFresh) {
      try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
        addend = Scope.detach(Tensors.empty(whole.dtype(), whole.device(), slice.length()));
      }
    }
    launched.add(new Launched(slice, scatter(slice, whole, addend), whole, addend));
    state.shardIsFresh = false;
  }

  /** Where another rank has failed, what is lent is given back: the step may be taken back. */
  private Pending scatter(StateSlice slice, Tensor whole, @Nullable Tensor addend) {
    boolean begun = false;
    try {
      Pending pending =
          slice.group().reduceScatter(whole, addend == null ? slice.gradients() : addend);
      begun = true;
      return pending;
    } finally {
      if (!begun) {
        slotsOf(whole).giveBack(whole);
        if (addend != null) {
          addend.close();
        }
      }
    }
  }

  private void reduceForHost(State state, Tensor whole, boolean last) {
    StateSlice slice = state.slice;
    boolean complete = last && !isSummedFurther(slice);
    boolean fresh = state.shardIsFresh;
    state.shardIsFresh = false;
    if (slice.isSharded()) {
      Tensor part = buffer(slots(whole.dtype()), slice.length());
      Pending pending = slice.group().reduceScatter(whole, part);
      forHost.add(new ForHost(slice, pending, whole, part, fresh, complete));
    } else if (slice.group().size() > 1) {
      Pending pending = slice.group().allReduce(whole);
      forHost.add(new ForHost(slice, pending, whole, whole, fresh, complete));
    } else {
      forHost.add(new ForHost(slice, Pending.DONE, whole, whole, fresh, complete));
      send(); // nothing to wait for
    }
  }

  private boolean isSummedFurther(StateSlice slice) {
    return slice.replicas().size() > 1 || groups.twin().apply(slice.bucket()).isPresent();
  }

  /** Sends the oldest sum to the host. */
  private void send() {
    ForHost oldest = forHost.remove();
    oldest.pending().join();
    HostTransfer.Mark copied = oldest.slice().collect(oldest.part(), oldest.fresh(), oldest.last());
    leaving.add(new Leaving(copied, oldest.whole(), oldest.part()));
  }

  /** Lets the current stream wait for the oldest copy to the host. */
  private void reclaim() {
    Leaving oldest = leaving.remove();
    oldest.copied().holdBack();
    slotsOf(oldest.whole()).giveBack(oldest.whole());
    if (oldest.part() != oldest.whole()) {
      slotsOf(oldest.part()).giveBack(oldest.part());
    }
  }

  /** Waits until all gradients are in host memory. */
  private void awaitHost() {
    if (worker == null) {
      return;
    }
    while (!forHost.isEmpty()) {
      send();
    }
    worker.awaitGradients();
    while (!leaving.isEmpty()) {
      reclaim();
    }
  }

  /** A buffer for the whole gradients of a bucket; waits for a reduction where all are in use. */
  private Tensor buffer(Slots ofDtype, long length) {
    while (!ofDtype.hasFree(length)
        && ofDtype.count(length) >= BUFFERS
        && settleOneOf(ofDtype, length)) {
      // One more reduction or copy is waited for.
    }
    return ofDtype.take(length);
  }

  /** Waits for the oldest that uses such a buffer, or comes before one; false where none does. */
  private boolean settleOneOf(Slots ofDtype, long length) {
    if (launched.stream().anyMatch(it -> ofDtype.lent(it.buffer(), length))) {
      settle();
    } else if (leaving.stream()
        .anyMatch(it -> ofDtype.lent(it.whole(), length) || ofDtype.lent(it.part(), length))) {
      reclaim();
    } else if (forHost.stream()
        .anyMatch(it -> ofDtype.lent(it.whole(), length) || ofDtype.lent(it.part(), length))) {
      send();
    } else {
      return false;
    }
    return true;
  }

  /** Lets the current stream wait for the oldest reduction. */
  private void settle() {
    Launched oldest = launched.remove();
    oldest.pending().join();
    Tensor addend = oldest.addend();
    if (addend != null) {
      try (addend) {
        Elementwise.addInPlace(oldest.slice().gradients(), addend);
      }
    }
    Tensor buffer = oldest.buffer();
    if (buffer != null) {
      slotsOf(buffer).giveBack(buffer);
    }
  }

  private Slots slotsOf(Tensor buffer) {
    return slots(buffer.dtype());
  }

  private Slots slots(Dtype dtype) {
    return slots.computeIfAbsent(
        dtype, _ -> new Slots(dtype, store.device(), MemoryOwner.GRADIENTS));
  }

  /** Neighbours that hold the same heads have parts of their gradients' sum. */
  private void sumCopies(Parameter parameter) {
    for (Portion.Stretch stretch : parameter.spec().portion().stretches()) {
      if (stretch.copies() > 1) {
        try (Scope _ = Scope.open()) {
          Tensor rows = Views.narrow(parameter.gradient(), 0, stretch.to(), stretch.length());
          groups.copies().allReduce(rows).join();
        }
      }
    }
  }

  /**
   * Sums what is reduced over further ranks: replicas, of which a shard is a small part, or another
   * stage, which may come to it much later. Behind everything else.
   */
  private void sum(StateSlice slice, Communicator further) {
    if (further.size() == 1) {
      return;
    }
    if (!slice.isOnHost()) {
      try (Purpose _ = purpose(slice.bucket())) {
        further.allReduce(slice.gradients()).join();
      }
      return;
    }
    // By way of the device, between which and another's alone there may be a link.
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION);
        Purpose _ = purpose(slice.bucket())) {
      Tensor there = Copies.to(slice.gradients(), store.device());
      further.allReduce(there).join();
      Copies.into(slice.gradients(), there);
    }
  }

  @Override
  public void close() {
    slices.forEach(
        slice -> {
          if (!slice.keepsWholeGradients()) {
            slice.bucket().releaseGradients();
          }
        });
    launched.forEach(
        it -> {
          if (it.addend() != null) {
            it.addend().close();
          }
        });
    slots.values().forEach(Slots::close);
  }
}
