package dev.duoka.tensor.kernel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The choice of experts from a router's logits, and its gradient, in fp32. Launches asynchronously;
 * deterministic. Of experts with equal scores, and of equal groups, the first is taken.
 */
public final class RouterKernels {
  private static final KernelFamily KERNELS = new KernelFamily("router.cu");

  private static final int THREADS = 256;

  /** Tokens of a block: one a warp. */
  private static final int TOKENS = THREADS / 32;

  /** As many as a warp keeps in registers. */
  private static final int MOST_EXPERTS = 512;

  /** A lane keeps one choice, and ranks one group. */
  private static final int LANES = 32;

  /** Assignments that a thread counts. */
  private static final int COUNTED_EACH = 8;

  /**
   * How experts are chosen.
   *
   * @param expertsPerToken k
   * @param sigmoid whether scores are sigmoids of the logits; else their softmax
   * @param groups experts are in this many equal groups; 1 for no groups
   * @param bestGroups a token's experts come from this many groups
   * @param twoBest whether a group is ranked by the sum of its two best; else by its best
   * @param normalize whether the chosen scores are divided by their sum
   * @param scale multiplies the weights at the end
   */
  public record Rule(
      int expertsPerToken,
      boolean sigmoid,
      int groups,
      int bestGroups,
      boolean twoBest,
      boolean normalize,
      double scale) {}

  /**
   * What a balance loss adds to the gradient.
   *
   * @param counts how often each expert was chosen in each stretch of tokens, from {@link
   *     #countByStretch}
   * @param tokensPerStretch the length of a stretch
   * @param firstToken the place of the first token among those that the stretches divide
   * @param perAssignment the derivative by an expert's normalised score, for each time that the
   *     expert was chosen
   */
  public record Balance(
      Tensor counts, long tokensPerStretch, long firstToken, double perAssignment) {}

  private RouterKernels() {}

  /** Whether a router {@code weight [experts, h]}, of the model's dtype, can be served. */
  public static boolean take(Tensor weight, Rule rule) {
    return KernelFamily.serve(weight)
        && weight.isContiguous()
        && weight.size(0) <= MOST_EXPERTS
        && rule.expertsPerToken() <= Math.min(LANES, weight.size(0))
        && rule.groups() <= LANES;
  }

  /**
   * Chooses.
   *
   * @param logits fp32 {@code [n, experts]}, dense; overwritten by the scores
   * @param bias fp32 {@code [experts]}, added to the scores for the choice only; null for none
   * @return the weights, fp32 {@code [n, k]}, and the experts, int64 {@code [n, k]}, best first
   */
  public static Tensor[] choose(Tensor logits, @Nullable Tensor bias, Rule rule) {
    long tokens = logits.size(0);
    int k = rule.expertsPerToken();
    Tensor weights = Tensors.empty(Dtype.FLOAT32, logits.device(), tokens, k);
    Tensor chosen = Tensors.empty(Dtype.INT64, logits.device(), tokens, k);
    if (logits.device().isCuda() && tokens > 0) {
      call(Dtype.FLOAT32, logits, "choose_experts")
          .pointer(Views.addressOf(logits))
          .pointer(bias == null ? 0 : Views.addressOf(bias))
          .pointer(Views.addressOf(weights))
          .pointer(Views.addressOf(chosen))
          .integer(Math.toIntExact(tokens))
          .integer(Math.toIntExact(logits.size(1)))
          .integer(k)
          .integer(rule.sigmoid() ? 1 : 0)
          .integer(rule.groups())
          .integer(rule.bestGroups())
          .integer(rule.twoBest() ? 1 : 0)
          .integer(rule.normalize() ? 1 : 0)
          .floating((float) rule.scale())
          .launch();
    }
    return new Tensor[] {weights, chosen};
  }

  /**
   * Counts the choices in each stretch of tokens.
   *
   * @param chosen int64 {@code [n, k]}, with n a multiple of {@code tokensPerStretch}
   * @return int32 {@code [stretches, experts]}
   */
  public static Tensor countByStretch(Tensor chosen, long experts, long tokensPerStretch) {
    if (chosen.size(0) % tokensPerStretch != 0) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot count " + chosen + " in stretches of " + tokensPerStretch + " tokens",
          "Choose a length that divides the number of tokens");
    }
    Device device = chosen.device();
    long stretches = chosen.size(0) / tokensPerStretch;
    Tensor counts = Tensors.zeros(Dtype.INT32, device, stretches, experts);
    if (device.isCuda() && stretches > 0) {
      int each = Math.toIntExact(tokensPerStretch * chosen.size(1));
      int block = THREADS * COUNTED_EACH;
      KERNELS
          .call(Dtype.FLOAT32, device, "count_by_stretch", slots(experts))
          .grid((each + block - 1) / block, Math.toIntExact(stretches), 1)
          .block(THREADS)
          .sharedMemory(Math.toIntExact((long) Integer.BYTES * experts))
          .pointer(Views.addressOf(chosen))
          .pointer(Views.addressOf(counts))
          .integer(each)
          .integer(Math.toIntExact(experts))
          .launch();
    }
    return counts;
  }

  /**
   * The gradient of the logits.
   *
   * @param scores what {@link #choose} left, {@code [n, experts]}
   * @param chosen the experts, {@code [n, k]}
   * @param gradient of the weights, dense fp32 {@code [n, k]}; null for none
   * @param balance null for none
   * @param parts whether it is wanted as two bf16 numbers, whose sum is within 2⁻¹⁷ of it
   * @return fp32 {@code [n, experts]}; or bf16 {@code [n, 2·experts]}, the high parts of a row and
   *     then the low ones
   */
  public static Tensor backward(
      Tensor scores,
      Tensor chosen,
      @Nullable Tensor gradient,
      @Nullable Balance balance,
      Rule rule,
      boolean parts) {
    Dtype dtype = parts ? Dtype.BFLOAT16 : Dtype.FLOAT32;
    long tokens = scores.size(0);
    long experts = scores.size(1);
    Tensor result = Tensors.empty(dtype, scores.device(), tokens, parts ? 2 * experts : experts);
    if (scores.device().isCuda() && tokens > 0) {
      call(dtype, scores, "router_backward")
          .pointer(Views.addressOf(scores))
          .pointer(Views.addressOf(chosen))
          .pointer(gradient == null ? 0 : Views.addressOf(gradient))
          .pointer(balance == null ? 0 : Views.addressOf(balance.counts()))
          .pointer(Views.addressOf(result))
          .integer(Math.toIntExact(tokens))
          .integer(Math.toIntExact(experts))
          .integer(rule.expertsPerToken())
          .integer(rule.sigmoid() ? 1 : 0)
          .integer(rule.normalize() ? 1 : 0)
          .floating((float) rule.scale())
          .integer(balance == null ? 1 : Math.toIntExact(balance.tokensPerStretch()))
          .integer(balance == null ? 0 : Math.toIntExact(balance.firstToken()))
          .floating(balance == null ? 0 : (float) balance.perAssignment())
          .launch();
    }
    return result;
  }

  private static KernelCall call(Dtype dtype, Tensor scores, String entry) {
    return KERNELS
        .call(dtype, scores.device(), entry, slots(scores.size(1)))
        .grid(Math.toIntExact((scores.size(0) + TOKENS - 1) / TOKENS))
        .block(THREADS);
  }

  /** Experts of a lane: 1, 2, 4, 8 or 16. */
  private static int slots(long experts) {
    int slots = 1;
    while ((long) LANES * slots < experts) {
      slots *= 2;
    }
    return slots;
  }
}
