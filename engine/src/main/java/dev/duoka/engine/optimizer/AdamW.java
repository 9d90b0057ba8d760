package dev.duoka.engine.optimizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.Work;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.StateForm;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWBuffers;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.kernel.ElementRuns;
import dev.duoka.tensor.kernel.HostAdamW;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.OptimizerKernels;
import dev.duoka.tensor.op.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * AdamW (Loshchilov and Hutter, arXiv:1711.05101) on one flat slice of weights: their moments,
 * their masters ({@link MasterBuffer}), and the update. Which slice it is, what its gradients were
 * summed over and by which norm they are clipped is the caller's business.
 *
 * <p>States in fewer bits are computed with in fp32 and rounded by chance when they are kept
 * ({@link ChanceBits}), so that many small changes count as their sum.
 *
 * <p>States may have a home in host memory while weights and gradients are on a device. Then what
 * is updated is a {@link #part} of them, in buffers on the device to which the caller has copied
 * the states and from which it copies them back.
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

  /**
   * How states are kept.
   *
   * @param form in how many bits
   * @param seed of the run, for rounding by chance
   * @param runs which elements the slice holds
   */
  public record States(StateForm form, long seed, ElementRuns runs) {}

  /** Weights with remainders that LibTorch's operators update at once: 16 MiB in fp32. */
  private static final long WHOLE_AT_ONCE = 1L << 22;

  private final AdamWSettings settings;
  private final States states;
  private final AdamWBuffers buffers;
  private final MasterBuffer master;
  private final MomentBuffer firstMoment;
  private final MomentBuffer secondMoment;
  private final @Nullable Tensor runs;

  /**
   * Allocates the states, and the master weights from the present values where there are some.
   *
   * @param values the weights in the compute dtype, {@code [n]}
   * @param gradients the main gradients, {@code [n]}
   * @throws DuokaException with {@link ErrorCode#CONFIG} where weights of this dtype have no states
   *     of this form
   */
  public AdamW(Tensor values, Tensor gradients, AdamWSettings settings, States states) {
    this(values, gradients, settings, states, values.device());
  }

  /**
   * As the other one, of states with a home of their own.
   *
   * @param home where the states are kept; where it is not the device of the values, masters that
   *     are copies are zero there until they are taken over
   */
  public AdamW(
      Tensor values, Tensor gradients, AdamWSettings settings, States states, Device home) {
    this.settings = settings;
    this.states = states;
    boolean half = values.dtype() == Dtype.BFLOAT16 || values.dtype() == Dtype.FLOAT16;
    boolean mastered = half && states.form().masterWeights();
    requireTakes(values.dtype(), states.form());
    // Detached together at the end, so that running out of memory on one frees the others.
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      MomentBuffer first = moments(values, home, states.form().moments(), false);
      MomentBuffer second = moments(values, home, states.form().moments(), true);
      Tensor masters = mastered ? besideWeights(values, home) : null;
      buffers =
          new AdamWBuffers(
              values,
              masters,
              gradients,
              first.values(),
              first.scales(),
              second.values(),
              second.scales());
      boolean fused = buffers.areNarrow() && AdamWKernel.takeNarrow(values, gradients);
      runs = fused ? Scope.detach(states.runs().onDevice(values.device())) : null;
      firstMoment = detach(first);
      secondMoment = detach(second);
      master = new MasterBuffer(values, masters);
      if (masters != null) {
        Scope.detach(masters);
      }
    }
  }

  private static void requireTakes(Dtype values, StateForm form) {
    boolean wide = values == Dtype.FLOAT64 && form.moments() != MomentForm.FP32;
    boolean rounded = values == Dtype.FLOAT16 && !form.masterWeights();
    if (wide || rounded) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot train weights in " + values + " with " + form,
          rounded
              ? "Without master weights use bf16: fp16 has no room for small weights."
              : "fp64 is for checks: keep the moments as they are.");
    }
  }

  private static MomentBuffer moments(Tensor values, Device home, MomentForm form, boolean second) {
    long length = values.size(0);
    Dtype wide = values.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    return switch (form) {
      case FP32 -> new MomentBuffer(Tensors.zeros(wide, home, length), null, second);
      case BF16 -> new MomentBuffer(Tensors.zeros(Dtype.BFLOAT16, home, length), null, second);
      case BITS8 ->
          new MomentBuffer(
              Tensors.zeros(Dtype.UINT8, home, length),
              Tensors.zeros(Dtype.FLOAT32, home, length / AdamWKernel.BLOCK),
              second);
    };
  }

  private static MomentBuffer detach(MomentBuffer moments) {
    Scope.detach(moments.values());
    if (moments.scales() != null) {
      Scope.detach(moments.scales());
    }
    return moments;
  }

  /** What masters take beside the weights: of bf16 nothing is left at first. */
  private static Tensor besideWeights(Tensor values, Device home) {
    boolean remainder = values.dtype() == Dtype.BFLOAT16;
    try (Scope scope = Scope.open(MemoryOwner.MASTER_WEIGHTS)) {
      return scope.keep(
          home.equals(values.device()) && !remainder
              ? Copies.cast(values, Dtype.FLOAT32)
              : Tensors.zeros(remainder ? Dtype.INT16 : Dtype.FLOAT32, home, values.size(0)));
    }
  }

  /**
   * Views of a part of weights, gradients and states, each where it is.
   *
   * @param start in elements; a multiple of 128, as is {@code length}
   */
  public AdamWBuffers part(long start, long length) {
    return buffers.part(start, length);
  }

  /** How many weights there are. */
  public long length() {
    return buffers.values().size(0);
  }

  /** Whether {@link #launch} serves this slice, so that the host need not know the norm. */
  public boolean runsFused() {
    return buffers.areNarrow()
        ? AdamWKernel.takeNarrow(buffers.values(), buffers.gradients())
        : AdamWKernel.take(buffers.values(), buffers.gradients());
  }

  /**
   * Launches unscaling, clipping, the update and the copy to the compute dtype in one pass. Nothing
   * changes when the norm is not finite, whenever that is noticed.
   *
   * @param squaredNorm fp64 {@code [1]} on the device, of all gradients as they are
   */
  public void launch(Update update, Tensor squaredNorm) {
    launch(update, squaredNorm, buffers, 0, null);
  }

  /**
   * As the other one, of a {@link #part}.
   *
   * @param part with the states on the device
   * @param start of the part, in elements
   * @param lane where it is launched; null for the calling thread's stream
   */
  public void launch(
      Update update,
      Tensor squaredNorm,
      AdamWBuffers part,
      long start,
      HostTransfer.@Nullable Lane lane) {
    if (part.areNarrow()) {
      if (runs != null) {
        AdamWKernel.stepNarrow(
            part, runs, start, chance(update), squaredNorm, numbers(update), lane);
      }
    } else {
      AdamWKernel.step(part, squaredNorm, numbers(update), lane);
    }
  }

  private long chance(Update update) {
    return ChanceBits.ofUpdate(states.seed(), update.step());
  }

  private AdamWKernel.Update numbers(Update update) {
    return new AdamWKernel.Update(
        update.learningRate(),
        settings.beta1(),
        settings.beta2(),
        settings.epsilon(),
        settings.weightDecay(),
        update.inverseScale(),
        settings.clipNorm(),
        update.step());
  }

  /**
   * Updates without our kernels, and copies the result to the compute dtype.
   *
   * @param factor what the gradients are multiplied by: unscaling and clipping
   * @throws DuokaException with {@link ErrorCode#CONFIG} for states in fewer bits on a GPU, which
   *     our kernels alone update
   */
  public void update(Update update, double factor) {
    update(update, factor, buffers, 0);
  }

  /**
   * As the other one, of a {@link #part}.
   *
   * @param part with the states on the device
   * @param start of the part, in elements
   */
  public void update(Update update, double factor, AdamWBuffers part, long start) {
    boolean onCpu = !part.values().device().isCuda();
    if (onCpu && (part.areNarrow() || part.hasRemainders())) {
      if (!part.values().device().isMeta()) {
        new HostAdamW(part, states.runs(), start).step(numbers(update), factor, chance(update));
      }
    } else if (part.areNarrow()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot update " + states.form() + " on a GPU without the kernels of duoka",
          "Run without -Dduoka.kernels=false, or keep the states in fp32.");
    } else {
      updateWide(update, factor, part);
    }
  }

  /** By LibTorch's operators; with remainders in stretches, which are made whole meanwhile. */
  void updateWide(Update update, double factor, AdamWBuffers part) {
    long length = part.values().size(0);
    long atOnce = part.hasRemainders() ? WHOLE_AT_ONCE : length;
    for (long start = 0; start < length; start += atOnce) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        AdamWBuffers stretch = part.part(start, Math.min(atOnce, length - start));
        MasterBuffer masters = stretch.masters();
        Tensor weights = masters.isRemainder() ? masters.read() : masters.whole();
        updateWide(update, factor, stretch, weights);
        if (masters.isRemainder()) {
          masters.write(0, weights);
        } else {
          masters.publish();
        }
      }
    }
  }

  private void updateWide(Update update, double factor, AdamWBuffers part, Tensor weights) {
    Tensor gradients = part.gradients();
    if (factor != 1) {
      Elementwise.mulInPlace(gradients, factor);
    }
    Tensor step = Tensors.full((double) update.step(), Dtype.FLOAT32, gradients.device());
    OptimizerKernels.adamw(
        weights,
        gradients,
        part.firstMoment(),
        part.secondMoment(),
        step,
        update.learningRate(),
        settings.beta1(),
        settings.beta2(),
        settings.weightDecay(),
        settings.epsilon());
  }

  /** Copies masters to the compute weights where they are copies ({@link MasterBuffer}). */
  public void publish() {
    master.publish();
  }

  /** As the other one, of a {@link #part}. */
  public static void publish(AdamWBuffers part) {
    part.masters().publish();
  }

  /** Takes over weights that were written into the slice; the opposite of {@link #publish}. */
  public void adoptValues() {
    master.adoptValues();
  }

  /** As the other one, of a {@link #part}. */
  public static void adoptValues(AdamWBuffers part) {
    part.masters().adoptValues();
  }

  /** The weights that are updated, {@code [n]}. */
  public MasterBuffer master() {
    return master;
  }

  /** The first moments, {@code [n]}. */
  public MomentBuffer firstMoment() {
    return firstMoment;
  }

  /** The second moments, {@code [n]}. */
  public MomentBuffer secondMoment() {
    return secondMoment;
  }

  /**
   * The least work of one update: gradients are read for the norm and again for the update, masters
   * and moments read and written, and the compute weights written.
   */
  public Work work() {
    double elements = buffers.values().elements();
    double perElement =
        2 * buffers.gradients().dtype().bytes()
            + 2 * 2 * buffers.firstMoment().dtype().bytes()
            + master.bytesOfUpdate();
    return new Work(0, elements * perElement);
  }

  @Override
  public void close() {
    firstMoment.close();
    secondMoment.close();
    master.close();
    if (runs != null) {
      runs.close();
    }
  }
}
