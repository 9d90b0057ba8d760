package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TypedFunctions;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/**
 * Fused attention kernels of LibTorch. All take {@code [batch, heads, sequence, width]} with the
 * last dimension dense, apply {@code softmax(query · keyᵀ · scale) · value}, and never store the
 * scores.
 */
public final class AttentionKernels {
  private static final Operator FLASH_CPU =
      Operator.of("aten::_scaled_dot_product_flash_attention_for_cpu", "");
  private static final Operator FLASH_CPU_BACKWARD =
      Operator.of("aten::_scaled_dot_product_flash_attention_for_cpu_backward", "");

  /** The widest heads that {@link #flash} takes. */
  public static final int FLASH_WIDTH = 256;

  private AttentionKernels() {}

  /**
   * Flash attention on the CPU; query, key and value have one width.
   *
   * @return the output and the log-sum-exp of the scores
   */
  public static Tensor[] flashCpu(
      Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    return Call.of(FLASH_CPU)
        .tensor(query)
        .tensor(key)
        .tensor(value)
        .floating(0)
        .bool(causal)
        .none()
        .optionalFloating(scale)
        .results(2);
  }

  /** The gradients of {@link #flashCpu} with respect to query, key and value. */
  public static Tensor[] flashCpuBackward(
      Tensor gradOutput,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      Tensor logSumExp,
      boolean causal,
      double scale) {
    return Call.of(FLASH_CPU_BACKWARD)
        .tensor(gradOutput)
        .tensor(query)
        .tensor(key)
        .tensor(value)
        .tensor(output)
        .tensor(logSumExp)
        .floating(0)
        .bool(causal)
        .none()
        .optionalFloating(scale)
        .results(3);
  }

  /**
   * Attention by cuDNN, bf16 or fp16; the value's width may differ from the query's.
   *
   * @return the output, the log-sum-exp, and two tensors of random state that the backward pass
   *     wants back
   */
  public static Tensor[] cudnn(
      Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    try {
      long[] handles =
          TypedFunctions.cudnnAttention(
              query.handle(), key.handle(), value.handle(), causal, scale);
      return adopt(handles, query);
    } catch (DuokaException e) {
      throw Call.failure("aten::_scaled_dot_product_cudnn_attention", e, query, key, value);
    }
  }

  /**
   * The gradients of {@link #cudnn} with respect to query, key and value.
   *
   * @param forward what it returned
   */
  public static Tensor[] cudnnBackward(
      Tensor gradOutput,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor[] forward,
      boolean causal,
      double scale) {
    try {
      return adopt(
          TypedFunctions.cudnnAttentionBackward(
              gradOutput.handle(),
              query.handle(),
              key.handle(),
              value.handle(),
              handles(forward),
              query.size(2),
              key.size(2),
              causal,
              scale),
          query);
    } catch (DuokaException e) {
      throw Call.failure(
          "aten::_scaled_dot_product_cudnn_attention_backward", e, gradOutput, query, key, value);
    }
  }

  /**
   * LibTorch's flash attention on CUDA, bf16 or fp16; query, key and value have one width, at most
   * {@value #FLASH_WIDTH}. Slower than {@link #cudnn} on Hopper.
   *
   * @return the output and the log-sum-exp
   */
  public static Tensor[] flash(
      Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    try {
      return adopt(
          TypedFunctions.flashAttention(
              query.handle(), key.handle(), value.handle(), causal, scale),
          query);
    } catch (DuokaException e) {
      throw Call.failure("aten::_scaled_dot_product_flash_attention", e, query, key, value);
    }
  }

  /**
   * The gradients of {@link #flash}; the same bits each time.
   *
   * @param forward what it returned
   */
  public static Tensor[] flashBackward(
      Tensor gradOutput,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor[] forward,
      boolean causal,
      double scale) {
    try {
      return adopt(
          TypedFunctions.deterministicFlashAttentionBackward(
              gradOutput.handle(),
              query.handle(),
              key.handle(),
              value.handle(),
              handles(forward),
              query.size(2),
              key.size(2),
              causal,
              scale),
          query);
    } catch (DuokaException e) {
      throw Call.failure(
          "aten::_scaled_dot_product_flash_attention_backward", e, gradOutput, query, key, value);
    }
  }

  /**
   * What attention returns on {@code meta}, where no kernel runs: the output, and the scores'
   * log-sum-exp, fp32 {@code [b, h, t]}.
   *
   * @param tokensFirst whether the output lies token by token, as cuDNN lays it out, or head by
   *     head
   */
  public static Tensor[] shapesOnly(Tensor query, Tensor value, boolean tokensFirst) {
    int outer = tokensFirst ? 2 : 1;
    Tensor output =
        Tensors.empty(
            query.dtype(),
            query.device(),
            query.size(0),
            query.size(outer),
            query.size(3 - outer),
            value.size(3));
    return new Tensor[] {
      tokensFirst ? Views.transpose(output, 1, 2) : output,
      Tensors.empty(Dtype.FLOAT32, query.device(), query.size(0), query.size(1), query.size(2))
    };
  }

  private static long[] handles(Tensor... tensors) {
    long[] handles = new long[tensors.length];
    for (int i = 0; i < handles.length; i++) {
      handles[i] = tensors[i].handle();
    }
    return handles;
  }

  private static Tensor[] adopt(long[] handles, Tensor like) {
    Tensor[] tensors = new Tensor[handles.length];
    for (int i = 0; i < handles.length; i++) {
      tensors[i] = Tensor.adopt(handles[i], like.device());
    }
    return tensors;
  }
}
