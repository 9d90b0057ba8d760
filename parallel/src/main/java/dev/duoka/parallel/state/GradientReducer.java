package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;

/**
 * Sums gradients over the ranks, bucket by bucket: each as soon as the last gradient of its
 * parameters is there ({@link #ready}), the rest of a stage behind its last backward pass ({@link
 * #reduce}), and what is left in {@link #finish}. In which order depends on the model and the
 * schedule alone, so it is the same on all ranks of a group.
 *
 * <p>One thread. Every launch is collective.
 */
public final class GradientReducer {
  private final List<StateSlice> slices;
  private final GradientGroups groups;
  private final IdentityHashMap<Bucket, Integer> missing = new IdentityHashMap<>();
  private final IdentityHashMap<Bucket, StateSlice> unreduced = new IdentityHashMap<>();
  private final List<Pending> launched = new ArrayList<>();
  private boolean finished;

  GradientReducer(List<StateSlice> slices, GradientGroups groups) {
    this.slices = slices;
    this.groups = groups;
    begin();
  }

  /** Forgets the step that was: all gradients are to be summed again. */
  void begin() {
    finished = false;
    missing.clear();
    unreduced.clear();
    launched.clear();
    for (StateSlice slice : slices) {
      missing.put(slice.bucket(), slice.bucket().parameters().size());
      unreduced.put(slice.bucket(), slice);
    }
  }

  /**
   * Notes that nothing more will be added to a parameter's gradient in this step; the callback of
   * the last micro-batch's backward pass.
   */
  public void ready(Parameter parameter) {
    Bucket bucket = parameter.bucket();
    if (missing.merge(bucket, -1, Integer::sum) == 0) {
      reduce(bucket);
    }
  }

  /** Launches what is left of some blocks, to whose gradients nothing more will be added. */
  public void reduce(BlockRange blocks) {
    for (StateSlice slice : slices) {
      if (blocks.contains(slice.bucket().key().block())) {
        reduce(slice.bucket());
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
      reduce(slice.bucket());
    }
    launched.forEach(Pending::join);
    launched.clear();
    sumTwins();
  }

  private void reduce(Bucket bucket) {
    StateSlice slice = unreduced.remove(bucket);
    if (slice == null) {
      return;
    }
    bucket.zeroUntouchedGradients();
    bucket.parameters().forEach(this::sumCopies);
    Communicator group = slice.group();
    if (group.size() > 1) {
      launched.add(
          slice.isSharded()
              ? group.reduceScatter(bucket.gradients(), slice.gradients())
              : group.allReduce(bucket.gradients()));
    }
  }

  /** Neighbours that hold the same heads have parts of their gradients' sum. */
  private void sumCopies(Parameter parameter) {
    for (Portion.Stretch stretch : parameter.spec().portion().stretches()) {
      if (stretch.copies() > 1) {
        try (Scope _ = Scope.open()) {
          Tensor rows =
              Views.narrow(parameter.gradient(), 0, stretch.to(), stretch.length());
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
}
