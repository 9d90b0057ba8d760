package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.GradientSquares;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.SquaresKernel;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The optimizer of one rank: sums the gradients over the ranks, computes the global norm, clips by
 * it, updates this rank's slices and publishes the weights. The states are those of ZeRO stage 0
 * (every rank keeps all) or stage 1 (every rank keeps a shard of each bucket and updates only that;
 * Rajbhandari et al., arXiv:1910.02054).
 *
 * <p>Owns the slices with their states. One thread.
 */
public final class ShardedOptimizer implements AutoCloseable {
  private final ParameterStore store;
  private final Communicator group;
  private final AdamWSettings settings;
  private final boolean sharded;
  private final List<StateSlice> slices = new ArrayList<>();
  private final GradientReducer reducer;
  private final GradientSquares squares;
  private final DeferredRead[] normReads = new DeferredRead[2];
  private final Resources owned;
  private long steps;

  /**
   * Allocates the states, and the master weights from the store's present values where the store is
   * not fp32.
   *
   * @param group the ranks that hold the same weights and see other data
   * @param zeroStage 0 or 1
   */
  public ShardedOptimizer(
      ParameterStore store, Communicator group, AdamWSettings settings, int zeroStage) {
    this.store = store;
    this.group = group;
    this.settings = settings;
    this.sharded = zeroStage == 1 && group.size() > 1;
    try (Resources made = new Resources()) {
      for (Bucket bucket : store.trainableBuckets()) {
        slices.add(made.own(slice(bucket)));
      }
      squares = made.own(squares());
      for (int i = 0; i < normReads.length; i++) {
        normReads[i] = made.own(new DeferredRead(store.device(), Dtype.FLOAT64, 1));
      }
      owned = made.release();
    }
    reducer = new GradientReducer(slices, group, sharded);
  }

  private StateSlice slice(Bucket bucket) {
    if (!sharded) {
      return new StateSlice(bucket, 0, bucket.length(), settings);
    }
    if (bucket.shards() != group.size()) {
      throw new IllegalArgumentException(
          "a store of " + bucket.shards() + " shards for " + group.size() + " ranks");
    }
    long length = bucket.shardLength();
    return new StateSlice(bucket, group.rank() * length, length, settings);
  }

  /** What sums the gradients; may be told of gradients as they become complete. */
  public GradientReducer reducer() {
    return reducer;
  }

  /** As {@link #launch}, and waits for its end. Collective. */
  public StepOutcome step(double learningRate, double lossScale) {
    return launch(learningRate, lossScale).await();
  }

  /**
   * Reduces what is not reduced yet, unscales and clips the gradients, and updates the weights.
   * Collective. On CUDA it launches all of that and waits for none of it; elsewhere the step has
   * ended when this returns.
   *
   * <p>Gradients that are not finite leave weights and moments as they were, whenever that is
   * noticed.
   *
   * @param lossScale what the loss was multiplied by
   */
  public PendingOutcome launch(double learningRate, double lossScale) {
    reducer.finish();
    reducer.begin();
    if (slices.stream().allMatch(slice -> slice.states().runsFused())) {
      return launchFused(learningRate, lossScale);
    }
    StepOutcome outcome = composedStep(learningRate, lossScale);
    return () -> outcome;
  }

  private StepOutcome composedStep(double learningRate, double lossScale) {
    double norm = Math.sqrt(squaredNorm()) / lossScale;
    if (!Double.isFinite(norm)) {
      return new StepOutcome(norm, false);
    }
    double factor = 1 / lossScale;
    if (settings.clipNorm() > 0) {
      // As torch.nn.utils.clip_grad_norm_: the small constant is part of the definition.
      factor *= Math.min(1, settings.clipNorm() / (norm + 1e-6));
    }
    steps++;
    for (StateSlice slice : slices) {
      slice.states().update(new AdamW.Update(learningRate, steps, 1 / lossScale), factor);
    }
    gatherValues();
    return new StepOutcome(norm, true);
  }

  private PendingOutcome launchFused(double learningRate, double lossScale) {
    steps++;
    DeferredRead read = normReads[(int) (steps % normReads.length)];
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor squaredNorm = SquaresKernel.inOrder(squaresOfAllRanks());
      for (StateSlice slice : slices) {
        slice.states().launch(new AdamW.Update(learningRate, steps, 1 / lossScale), squaredNorm);
      }
      gatherValues();
      read.start(squaredNorm);
    }
    return () -> {
      double norm = Math.sqrt(read.await()[0]) / lossScale;
      boolean applied = Double.isFinite(norm);
      if (!applied) {
        steps--;
      }
      return new StepOutcome(norm, applied);
    };
  }

  /** The squared norm on the host, which waits for the device; 0 on {@code meta}. */
  private double squaredNorm() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor parts = squaresOfAllRanks();
      double sum = 0;
      if (!parts.device().isMeta()) {
        for (double part : HostCopy.doubles(parts)) {
          sum += part;
        }
      }
      return sum;
    }
  }

  /** The squares of each parameter's reduced gradient, over all shards. */
  private Tensor squaresOfAllRanks() {
    Tensor parts = squares.of(slices.stream().map(StateSlice::gradients).toList());
    if (sharded) {
      group.allReduce(parts).join();
    }
    return parts;
  }

  private GradientSquares squares() {
    Map<String, Integer> places = new HashMap<>();
    store.parameters().stream()
        .map(Parameter::name)
        .sorted(Comparator.naturalOrder())
        .forEach(name -> places.put(name, places.size()));
    List<List<GradientSquares.Piece>> pieces = new ArrayList<>();
    for (StateSlice slice : slices) {
      List<GradientSquares.Piece> ofSlice = new ArrayList<>();
      for (Parameter parameter : slice.bucket().parameters()) {
        long start = Math.max(parameter.offset(), slice.offset());
        long end =
            Math.min(
                parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
        int place = places.getOrDefault(parameter.name(), 0);
        if (start < end) {
          ofSlice.add(new GradientSquares.Piece(place, start - slice.offset(), end - start));
        }
      }
      pieces.add(ofSlice);
    }
    return new GradientSquares(
        store.dtype(),
        slices.stream().map(StateSlice::gradients).toList(),
        pieces,
        store.parameters().size());
  }

  /** Copies the master weights into the compute weights, on every rank. Collective when sharded. */
  public void publish() {
    slices.forEach(slice -> slice.states().publish());
    gatherValues();
  }

  private void gatherValues() {
    store.valuesChanged();
    if (sharded) {
      List<Pending> gathered = new ArrayList<>();
      for (StateSlice slice : slices) {
        gathered.add(group.allGather(slice.values(), slice.bucket().values()));
      }
      gathered.forEach(Pending::join);
    }
  }

  /** Takes over weights that were written into the store; the opposite of {@link #publish}. */
  public void adoptValues() {
    slices.forEach(slice -> slice.states().adoptValues());
  }

  /** What this rank updates, by bucket in the order of the store. */
  public List<StateSlice> slices() {
    return List.copyOf(slices);
  }

  /** Whether each rank keeps only a part. */
  public boolean isSharded() {
    return sharded;
  }

  /** The least work of one update ({@link AdamW#work}). */
  public Work work() {
    double flops = 0;
    double bytes = 0;
    for (StateSlice slice : slices) {
      Work work = slice.states().work();
      flops += work.flops();
      bytes += work.bytes();
    }
    return new Work(flops, bytes);
  }

  /** How many updates were made. */
  public long steps() {
    return steps;
  }

  /** Goes on from a checkpoint that was taken after {@code steps} updates. */
  public void restoreSteps(long steps) {
    this.steps = steps;
  }

  @Override
  public void close() {
    owned.close();
  }
}
