package dev.duoka.engine.optimizer;

import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.OptimizerKernels;
import dev.duoka.tensor.op.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * AdamW (Loshchilov and Hutter, arXiv:1711.05101) on one flat slice of weights: their moments,
 * their master weights where they are kept in 16 bits, and the update. Which slice it is, what its
 * gradients were summed over and by which norm they are clipped is the caller's business.
 *
 * <p>Owns the states and borrows the slices, which must outlive it. One thread.
 */
public final class AdamW implements AutoCloseable {
  /**
   * The numbers of one update.
   *
   * @param learningRate of this update
   * @param step its number, from 1
   * @param inverseScale what the gradients are multiplied by before anything else
   */
  public record Update(double learningRate, long step, double inverseScale) {}

  private final AdamWSettings settings;
  private final Tensor values;
  private final Tensor gradients;
  private final @Nullable Tensor master;
  private final Tensor firstMoment;
  private final Tensor secondMoment;

  /**
   * Allocates the states, and the master weights from the present values where these are narrower
   * than the gradients.
   *
   * @param values the weights in the compute dtype, {@code [n]}
   * @param gradients the main gradients, {@code [n]}
   */
  public AdamW(Tensor values, Tensor gradients, AdamWSettings settings) {
    this.settings = settings;
    this.values = values;
    this.gradients = gradients;
    Dtype dtype = gradients.dtype();
    long length = values.size(0);
    // Detached together at the end, so that running out of memory on one frees the others.
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      Tensor first = Tensors.zeros(dtype, values.device(), length);
      Tensor second = Tensors.zeros(dtype, values.device(), length);
      Tensor masters = values.dtype() == dtype ? null : masterWeights(values, dtype);
      firstMoment = Scope.detach(first);
      secondMoment = Scope.detach(second);
      master = masters == null ? null : Scope.detach(masters);
    }
  }

  private static Tensor masterWeights(Tensor values, Dtype dtype) {
    try (Scope scope = Scope.open(MemoryOwner.MASTER_WEIGHTS)) {
      return scope.keep(Copies.cast(values, dtype));
    }
  }

  /** Whether {@link #launch} serves this slice, so that the host need not know the norm. */
  public boolean runsFused() {
    return AdamWKernel.take(values, gradients);
  }

  /**
   * Launches unscaling, clipping, the update and the copy to the compute dtype in one pass. Nothing
   * changes when the norm is not finite, whenever that is noticed.
   *
   * @param squaredNorm fp64 {@code [1]} on the device, of all gradients as they are
   */
  public void launch(Update update, Tensor squaredNorm) {
    AdamWKernel.step(
        master,
        values,
        gradients,
        firstMoment,
        secondMoment,
        squaredNorm,
        new AdamWKernel.Update(
            update.learningRate(),
            settings.beta1(),
            settings.beta2(),
            settings.epsilon(),
            settings.weightDecay(),
            update.inverseScale(),
            settings.clipNorm(),
            update.step()));
  }

  /**
   * Updates by composed operators, and copies the result to the compute dtype.
   *
   * @param factor what the gradients are multiplied by: unscaling and clipping
   */
  public void update(Update update, double factor) {
    if (factor != 1) {
      Elementwise.mulInPlace(gradients, factor);
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor step = Tensors.full((double) update.step(), Dtype.FLOAT32, values.device());
      OptimizerKernels.adamw(
          master(),
          gradients,
          firstMoment,
          secondMoment,
          step,
          update.learningRate(),
          settings.beta1(),
          settings.beta2(),
          settings.weightDecay(),
          settings.epsilon());
    }
    publish();
  }

  /** Copies the master weights into the compute weights. */
  public void publish() {
    if (master != null) {
      Copies.into(values, master);
    }
  }

  /** Takes over weights that were written into the slice; the opposite of {@link #publish}. */
  public void adoptValues() {
    if (master != null) {
      Copies.into(master, values);
    }
  }

  /** The weights in full precision, {@code [n]}. */
  public Tensor master() {
    return master == null ? values : master;
  }

  /** The first moments, {@code [n]}. */
  public Tensor firstMoment() {
    return firstMoment;
  }

  /** The second moments, {@code [n]}. */
  public Tensor secondMoment() {
    return secondMoment;
  }

  /**
   * The least work of one update: gradients are read for the norm and again for the update, weights
   * and moments read and written, and the compute weights written.
   */
  public Work work() {
    double elements = values.elements();
    double perElement = 4 + 4 + 3 * 8 + (master == null ? 0 : values.dtype().bytes());
    return new Work(0, elements * perElement);
  }

  @Override
  public void close() {
    firstMoment.close();
    secondMoment.close();
    if (master != null) {
      master.close();
    }
  }
}
