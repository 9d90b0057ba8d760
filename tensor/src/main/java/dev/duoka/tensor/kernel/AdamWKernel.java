package dev.duoka.tensor.kernel;

import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Unscaling, clipping, AdamW and the copy to the compute dtype in one pass over flat buffers, by
 * the norm of {@link SquaresKernel}. Launches asynchronously; nothing is read back. Deterministic.
 */
public final class AdamWKernel {
  private static final KernelFamily KERNELS = new KernelFamily("adamw.cu");

  private static final int THREADS = 256;
  private static final int BLOCKS = 2112;

  /**
   * The numbers of one update.
   *
   * @param inverseScale what the gradients are multiplied by before anything else
   * @param clipNorm the largest norm after that; 0 for no clipping
   * @param step the number of this update, from 1
   */
  public record Update(
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      double inverseScale,
      double clipNorm,
      long step) {
    /** What the first moment is divided by, since it began at zero. */
    float correction1() {
      return (float) (1 - Math.pow(beta1, (double) step));
    }

    /** The root of what the second moment is divided by. */
    float correction2Root() {
      return (float) Math.sqrt(1 - Math.pow(beta2, (double) step));
    }
  }

  /** Neighbours that share a scale where moments have 8 bits, and that a warp updates. */
  public static final int BLOCK = 128;

  private AdamWKernel() {}

  /** Whether values of this dtype and their masters can be updated here. */
  public static boolean take(Tensor values, Tensor gradients) {
    return KernelFamily.serve(values)
        && gradients.dtype() == Dtype.FLOAT32
        && KernelFamily.inPacks(values, values.size(0))
        && KernelFamily.inPacks(gradients, gradients.size(0));
  }

  /** As the other, on the calling thread's stream. */
  public static void step(AdamWBuffers buffers, Tensor squaredNorm, Update update) {
    step(buffers, squaredNorm, update, null);
  }

  /**
   * One update of moments and gradients in fp32; nothing changes when the norm is not finite.
   *
   * @param squaredNorm fp64 {@code [1]}, of the gradients as they are
   * @param lane where it is launched; null for the calling thread's stream
   */
  public static void step(
      AdamWBuffers buffers, Tensor squaredNorm, Update update, HostTransfer.@Nullable Lane lane) {
    Tensor values = buffers.values();
    Tensor master = buffers.master();
    if (!values.device().isCuda()) {
      return;
    }
    KernelCall call =
        KERNELS
            .call(values, "adamw")
            .grid(BLOCKS)
            .block(THREADS)
            .pointer(Views.addressOf(master == null ? values : master))
            .integer(buffers.hasRemainders() ? 1 : 0)
            .pointer(Views.addressOf(buffers.gradients()))
            .pointer(Views.addressOf(buffers.firstMoment()))
            .pointer(Views.addressOf(buffers.secondMoment()))
            .pointer(master == null ? 0 : Views.addressOf(values))
            .longInteger(values.size(0))
            .pointer(Views.addressOf(squaredNorm))
            .floating((float) update.inverseScale())
            .floating((float) update.clipNorm())
            .floating((float) update.learningRate())
            .floating((float) update.beta1())
            .floating((float) update.beta2())
            .floating((float) update.epsilon())
            .floating((float) update.weightDecay())
            .floating(update.correction1())
            .floating(update.correction2Root());
    launch(call, lane);
  }

  private static void launch(KernelCall call, HostTransfer.@Nullable Lane lane) {
    if (lane == null) {
      call.launch();
    } else {
      lane.launch(call);
    }
  }

  /** Whether buffers like these, with states in fewer bits, can be updated here. */
  public static boolean takeNarrow(Tensor values, Tensor gradients) {
    return KernelFamily.serve(values)
        && (gradients.dtype() == Dtype.FLOAT32 || gradients.dtype() == Dtype.BFLOAT16)
        && values.size(0) % BLOCK == 0
        && KernelFamily.inPacks(values, values.size(0))
        && KernelFamily.inPacks(gradients, gradients.size(0));
  }

  /**
   * One update of states in fewer bits, which are rounded by chance; nothing changes when the norm
   * is not finite.
   *
   * @param runs which elements the buffers hold ({@link ElementRuns#onDevice})
   * @param start where the buffers start in what the runs are of; a multiple of 128
   * @param chance stands for this update ({@link ChanceBits#ofUpdate})
   * @param squaredNorm fp64 {@code [1]}, of the gradients as they are
   * @param lane where it is launched; null for the calling thread's stream
   */
  public static void stepNarrow(
      AdamWBuffers buffers,
      Tensor runs,
      long start,
      long chance,
      Tensor squaredNorm,
      Update update,
      HostTransfer.@Nullable Lane lane) {
    Tensor values = buffers.values();
    if (!values.device().isCuda()) {
      return;
    }
    KernelCall call =
        KERNELS
            .call(values, "adamw_narrow")
            .grid(BLOCKS)
            .block(THREADS)
            .pointer(Views.addressOf(values))
            .pointer(address(buffers.master()))
            .integer(buffers.hasRemainders() ? 1 : 0)
            .pointer(Views.addressOf(buffers.gradients()))
            .integer(buffers.gradients().dtype().bytes())
            .pointer(Views.addressOf(buffers.firstMoment()))
            .pointer(address(buffers.firstScales()))
            .pointer(Views.addressOf(buffers.secondMoment()))
            .pointer(address(buffers.secondScales()))
            .integer(buffers.firstMoment().dtype().bytes())
            .longInteger(values.size(0))
            .pointer(Views.addressOf(runs))
            .integer(Math.toIntExact(runs.size(0)))
            .longInteger(start)
            .longInteger(chance)
            .pointer(Views.addressOf(squaredNorm))
            .floating((float) update.inverseScale())
            .floating((float) update.clipNorm())
            .floating((float) update.learningRate())
            .floating((float) update.beta1())
            .floating((float) update.beta2())
            .floating((float) update.epsilon())
            .floating((float) update.weightDecay())
            .floating(update.correction1())
            .floating(update.correction2Root());
    launch(call, lane);
  }

  /**
   * Reads or writes moments of 8 bits, which only this kernel updates.
   *
   * @param codes {@code [n]}
   * @param scales {@code [n / 128]}
   * @param wide fp32 {@code [n]}
   */
  static void moment(String kernel, Tensor codes, Tensor scales, boolean second, Tensor wide) {
    KERNELS
        .call(Dtype.FLOAT32, codes.device(), kernel, 1)
        .grid(Math.toIntExact(codes.size(0) / BLOCK)) // a warp for each block of numbers
        .block(32)
        .pointer(Views.addressOf(codes))
        .pointer(Views.addressOf(scales))
        .integer(1)
        .integer(second ? 1 : 0)
        .pointer(Views.addressOf(wide))
        .launch();
  }

  /**
   * Joins or divides weights that have remainders ({@link MasterCode}).
   *
   * @param nearest bf16 {@code [n]}
   * @param remainders int16 {@code [n]}
   * @param whole fp32 {@code [n]}
   */
  static void master(String kernel, Tensor nearest, Tensor remainders, Tensor whole) {
    KERNELS
        .call(Dtype.BFLOAT16, whole.device(), kernel, 1)
        .grid(BLOCKS)
        .block(THREADS)
        .pointer(Views.addressOf(nearest))
        .pointer(Views.addressOf(remainders))
        .pointer(Views.addressOf(whole))
        .longInteger(whole.size(0))
        .launch();
  }

  private static long address(@Nullable Tensor tensor) {
    return tensor == null ? 0 : Views.addressOf(tensor);
  }
}
