package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Sums gradients over the ranks, bucket by bucket: each as soon as the last gradient of its
 * parameters is there ({@link #ready}), the rest in {@link #finish}. In which order depends on the
 * model and the schedule alone, so it is the same on all ranks.
 *
 * <p>One thread. Every launch is collective.
 */
public final class GradientReducer {
  private final List<StateSlice> slices;
  private final Communicator group;
  private final boolean sharded;
  private final IdentityHashMap<Bucket, Integer> missing = new IdentityHashMap<>();
  private final IdentityHashMap<Bucket, StateSlice> unreduced = new IdentityHashMap<>();
  private final List<Pending> launched = new ArrayList<>();

  GradientReducer(List<StateSlice> slices, Communicator group, boolean sharded) {
    this.slices = slices;
    this.group = group;
    this.sharded = sharded;
    begin();
  }

  /** Forgets the step that was: all gradients are to be summed again. */
  void begin() {
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

  /**
   * Launches what is left and lets the current stream wait for all of it. A second call in the same
   * step does nothing.
   */
  public void finish() {
    for (StateSlice slice : slices) {
      reduce(slice.bucket());
    }
    launched.forEach(Pending::join);
    launched.clear();
  }

  private void reduce(Bucket bucket) {
    StateSlice slice = unreduced.remove(bucket);
    if (slice == null) {
      return;
    }
    bucket.zeroUntouchedGradients();
    if (group.size() > 1) {
      launched.add(
          sharded
              ? group.reduceScatter(bucket.gradients(), slice.gradients())
              : group.allReduce(bucket.gradients()));
    }
  }
}
