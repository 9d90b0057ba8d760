package dev.duoka.engine.optimizer;

import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.parallel.Collectives;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.kernel.SquaresKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.OptimizerKernels;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * AdamW over a flat parameter store, with the optimizer states of ZeRO stage 0 (every rank keeps
 * all) or stage 1 (every rank keeps a shard and updates only that; Rajbhandari et al.,
 * arXiv:1910.02054).
 *
 * <p>Owns the master weights and the moments. One thread.
 */
public final class ShardedAdamW implements AutoCloseable {
  private final ParameterStore store;
  private final Collectives collectives;
  private final AdamWSettings settings;
  private final boolean sharded;
  private final Tensor valueShard;
  private final @Nullable Tensor master;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Tensor gradientShard;
  private final GradientSquares squares;
  private final DeferredRead[] normReads = new DeferredRead[2];
  private long steps;

  /**
   * Allocates the states, and the master weights from the store's present values where the store is
   * not fp32.
   *
   * @param zeroStage 0 or 1
   */
  public ShardedAdamW(
      ParameterStore store, Collectives collectives, AdamWSettings settings, int zeroStage) {
    this.store = store;
    this.collectives = collectives;
    this.settings = settings;
    this.sharded = zeroStage == 1 && collectives.size() > 1;
    if (sharded && store.shards() != collectives.size()) {
      throw new IllegalArgumentException(
          "a store of " + store.shards() + " shards for " + collectives.size() + " ranks");
    }
    long length = sharded ? store.shardLength() : store.length();
    long offset = sharded ? collectives.rank() * length : 0;
    Dtype dtype = store.gradients().dtype();
    // Detached together at the end, so that running out of memory on one frees the others.
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      Tensor values = Views.narrow(store.values(), 0, offset, length);
      Tensor gradients = Views.narrow(store.gradients(), 0, offset, length);
      Tensor first = Tensors.zeros(dtype, values.device(), length);
      Tensor second = Tensors.zeros(dtype, values.device(), length);
      Tensor masters = values.dtype() == dtype ? null : masterWeights(values, dtype);
      valueShard = Scope.detach(values);
      gradientShard = Scope.detach(gradients);
      firstMoment = Scope.detach(first);
      secondMoment = Scope.detach(second);
      master = masters == null ? null : Scope.detach(masters);
    }
    squares =
        new GradientSquares(
            valueShard.dtype(),
            List.of(gradientShard),
            List.of(pieces(store, offset, length)),
            store.parameters().size());
    for (int i = 0; i < normReads.length; i++) {
      normReads[i] = new DeferredRead(valueShard.device(), Dtype.FLOAT64, 1);
    }
  }

  /** As {@link #launch}, and waits for its end. Collective. */
  public StepOutcome step(double learningRate, double lossScale) {
    return launch(learningRate, lossScale).await();
  }

  /**
   * Reduces the gradients over the ranks, unscales and clips them, and updates the weights.
   * Collective. On CUDA it launches all of that and waits for none of it, unless the states are
   * sharded; elsewhere the step has ended when this returns.
   *
   * <p>Gradients that are not finite leave weights and moments as they were, whenever that is
   * noticed.
   *
   * @param lossScale what the loss was multiplied by
   */
  public PendingOutcome launch(double learningRate, double lossScale) {
    store.zeroUntouchedGradients();
    if (collectives.size() > 1) {
      if (sharded) {
        collectives.reduceScatter(store.gradients(), gradientShard);
      } else {
        collectives.allReduce(store.gradients());
      }
    }
    if (AdamWKernel.take(valueShard, gradientShard)) {
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
    if (factor != 1) {
      Elementwise.mulInPlace(gradientShard, factor);
    }
    steps++;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor step = Tensors.full((double) steps, Dtype.FLOAT32, valueShard.device());
      OptimizerKernels.adamw(
          masterShard(),
          gradientShard,
          firstMoment,
          secondMoment,
          step,
          learningRate,
          settings.beta1(),
          settings.beta2(),
          settings.weightDecay(),
          settings.epsilon());
    }
    publish();
    return new StepOutcome(norm, true);
  }

  private PendingOutcome launchFused(double learningRate, double lossScale) {
    steps++;
    DeferredRead read = normReads[(int) (steps % normReads.length)];
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor squaredNorm = SquaresKernel.inOrder(squaresOfAllRanks());
      AdamWKernel.step(
          master,
          valueShard,
          gradientShard,
          firstMoment,
          secondMoment,
          squaredNorm,
          new AdamWKernel.Update(
              learningRate,
              settings.beta1(),
              settings.beta2(),
              settings.epsilon(),
              settings.weightDecay(),
              1 / lossScale,
              settings.clipNorm(),
              steps));
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

  private static Tensor masterWeights(Tensor values, Dtype dtype) {
    try (Scope scope = Scope.open(MemoryOwner.MASTER_WEIGHTS)) {
      return scope.keep(Copies.cast(values, dtype));
    }
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
    Tensor parts = squares.of(List.of(gradientShard));
    if (sharded) {
      collectives.allReduce(parts);
    }
    return parts;
  }

  /** What lies in the stretch {@code [offset, offset + length)} of a store, by name order. */
  private static List<GradientSquares.Piece> pieces(
      ParameterStore store, long offset, long length) {
    List<Parameter> byName =
        store.parameters().stream().sorted(Comparator.comparing(Parameter::name)).toList();
    List<GradientSquares.Piece> pieces = new ArrayList<>();
    for (int place = 0; place < byName.size(); place++) {
      Parameter parameter = byName.get(place);
      long start = Math.max(parameter.offset(), offset);
      long end = Math.min(parameter.offset() + parameter.spec().elements(), offset + length);
      if (start < end) {
        pieces.add(new GradientSquares.Piece(place, start - offset, end - start));
      }
    }
    return pieces;
  }

  /** Copies the master weights into the compute weights, on every rank. Collective when sharded. */
  public void publish() {
    if (master != null) {
      Copies.into(valueShard, master);
    }
    gatherValues();
  }

  private void gatherValues() {
    store.valuesChanged();
    if (sharded) {
      collectives.allGather(valueShard, store.values());
    }
  }

  /** Takes over weights that were written into the store; the opposite of {@link #publish}. */
  public void adoptValues() {
    if (master != null) {
      Copies.into(master, valueShard);
    }
  }

  /** This rank's weights in full precision, a flat part of the store's layout. */
  public Tensor masterShard() {
    return master == null ? valueShard : master;
  }

  /** This rank's first moments, laid out as {@link #masterShard}. */
  public Tensor firstMoment() {
    return firstMoment;
  }

  /** This rank's second moments, laid out as {@link #masterShard}. */
  public Tensor secondMoment() {
    return secondMoment;
  }

  /** Where this rank's shard starts in the store's layout, in elements. */
  public long shardOffset() {
    return sharded ? collectives.rank() * store.shardLength() : 0;
  }

  /** Whether each rank keeps only a part. */
  public boolean isSharded() {
    return sharded;
  }

  /**
   * The least work of one update: gradients are read for the norm and again for the update, weights
   * and moments read and written, and the compute weights written.
   */
  public Work work() {
    double elements = valueShard.elements();
    double perElement = 4 + 4 + 3 * 8 + (master == null ? 0 : valueShard.dtype().bytes());
    return new Work(0, elements * perElement);
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
    valueShard.close();
    gradientShard.close();
    squares.close();
    firstMoment.close();
    secondMoment.close();
    if (master != null) {
      master.close();
    }
    for (DeferredRead read : normReads) {
      read.close();
    }
  }
}
