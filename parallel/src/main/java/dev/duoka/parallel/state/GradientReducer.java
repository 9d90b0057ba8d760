package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  GradientReducer(ParameterStore store, List<StateSlice> slices, GradientGroups groups) {
    this.slices = slices;
    this.groups = groups;
    for (StateSlice slice : slices) {
      states.put(slice.bucket(), new State(slice));
      if (!slice.keepsWholeGradients()) {
        Dtype dtype = slice.bucket().gradientDtype();
        Slots ofDtype =
            slots.computeIfAbsent(
                dtype, _ -> new Slots(dtype, store.device(), MemoryOwner.GRADIENTS));
        slice.bucket().gradientsFrom(() -> buffer(ofDtype, slice.bucket().length()));
      }
    }
    begin();
  }

  /** Forgets the step that was: all gradients are to be summed again. */
  void begin() {
    finished = false;
    states.values().forEach(State::begin);
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
      reduce(state);
      if (!state.slice.keepsWholeGradients()) {
        state.missing = state.slice.bucket().parameters().size();
      }
    }
  }

  /** Launches what is left of some blocks, to whose gradients nothing more will be added. */
  public void reduce(BlockRange blocks) {
    for (StateSlice slice : slices) {
      if (blocks.contains(slice.bucket().key().block())) {
        reduce(state(slice));
      }
    }
  }

  /**
   * Launches what is left and lets the current stream wait for all of it; then sums what two stages
   * have. A second call in the same step does nothing.
   */
  public void finish() {
    if (finished) {
      return;
    }
    finished = true;
    for (StateSlice slice : slices) {
      reduce(state(slice));
    }
    while (!launched.isEmpty()) {
      settle();
    }
    for (StateSlice slice : slices) {
      if (!slice.keepsWholeGradients() && state(slice).shardIsFresh) {
        Tensors.zero(slice.gradients());
      }
    }
    sumTwins();
  }

  private State state(StateSlice slice) {
    State state = states.get(slice.bucket());
    if (state == null) {
      throw new IllegalStateException(slice.bucket() + " is not reduced here");
    }
    return state;
  }

  private void reduce(State state) {
    StateSlice slice = state.slice;
    Bucket bucket = slice.bucket();
    if (slice.keepsWholeGradients() ? state.done : !bucket.hasGradients()) {
      return;
    }
    state.done = true;
    bucket.zeroUntouchedGradients();
    bucket.parameters().forEach(this::sumCopies);
    if (!slice.keepsWholeGradients()) {
      reduceIntoShard(state);
    } else if (slice.group().size() > 1) {
      Pending pending =
          slice.isSharded()
              ? slice.group().reduceScatter(bucket.gradients(), slice.gradients())
              : slice.group().allReduce(bucket.gradients());
      launched.add(new Launched(slice, pending, null, null));
    }
  }

  private void reduceIntoShard(State state) {
    StateSlice slice = state.slice;
    Tensor whole = slice.bucket().gradients();
    slice.bucket().releaseGradients();
    Tensor addend = null;
    if (!state.shardIsFresh) {
      try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
        addend = Scope.detach(Tensors.empty(whole.dtype(), whole.device(), slice.length()));
      }
    }
    Pending pending =
        slice.group().reduceScatter(whole, addend == null ? slice.gradients() : addend);
    launched.add(new Launched(slice, pending, whole, addend));
    state.shardIsFresh = false;
  }

  /** A buffer for the whole gradients of a bucket; waits for a reduction where all are in use. */
  private Tensor buffer(Slots ofDtype, long length) {
    while (!ofDtype.hasFree(length)
        && ofDtype.count(length) >= BUFFERS
        && launched.stream().anyMatch(it -> ofDtype.lent(it.buffer(), length))) {
      settle();
    }
    return ofDtype.take(length);
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
    Slots ofDtype = slots.get(buffer.dtype());
    if (ofDtype == null) {
      throw new IllegalStateException("no buffers of " + buffer.dtype());
    }
    return ofDtype;
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

  /** Behind everything else, since the other stage may come to it much later. */
  private void sumTwins() {
    for (StateSlice slice : slices) {
      Optional<Communicator> twin = groups.twin().apply(slice.bucket());
      if (twin.isPresent()) {
        twin.get().allReduce(slice.gradients()).join();
      }
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
