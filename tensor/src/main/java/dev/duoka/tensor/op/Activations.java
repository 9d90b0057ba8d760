package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Non-linear functions and their gradients. */
public final class Activations {
  private static final Operator SILU = Operator.of("aten::silu", "");
  private static final Operator SILU_OUT = Operator.of("aten::silu", "out");
  private static final Operator SILU_BACKWARD = Operator.of("aten::silu_backward", "grad_input");
  private static final Operator SIGMOID = Operator.of("aten::sigmoid", "");
  private static final Operator SIGMOID_BACKWARD = Operator.of("aten::sigmoid_backward", "");
  private static final Operator SOFTMAX = Operator.of("aten::_softmax", "");
  private static final Operator LOG_SOFTMAX = Operator.of("aten::_log_softmax", "");
  private static final Operator SOFTMAX_BACKWARD = Operator.of("aten::_softmax_backward_data", "");
  private static final Operator RMS_NORM = Operator.of("aten::_fused_rms_norm", "");
  private static final Operator RMS_NORM_BACKWARD =
      Operator.of("aten::_fused_rms_norm_backward", "");

  private Activations() {}

  /** {@code x · sigmoid(x)}. */
  public static Tensor silu(Tensor x) {
    return Call.of(SILU).tensor(x).result();
  }

  /** {@code target = x · sigmoid(x)}. */
  public static void siluInto(Tensor target, Tensor x) {
    Call.of(SILU_OUT).tensor(x).tensor(target).inPlace();
  }

  /**
   * Writes the gradient of {@link #silu} at {@code x} into {@code target}, which may be {@code
   * gradOutput}.
   */
  public static void siluBackwardInto(Tensor target, Tensor gradOutput, Tensor x) {
    Call.of(SILU_BACKWARD).tensor(gradOutput).tensor(x).tensor(target).inPlace();
  }

  /** {@code 1 / (1 + exp(−x))}. */
  public static Tensor sigmoid(Tensor x) {
    return Call.of(SIGMOID).tensor(x).result();
  }

  /** The gradient of {@link #sigmoid}, from its output. */
  public static Tensor sigmoidBackward(Tensor gradOutput, Tensor output) {
    return Call.of(SIGMOID_BACKWARD).tensor(gradOutput).tensor(output).result();
  }

  /** Softmax along the last dimension. */
  public static Tensor softmax(Tensor x) {
    return Call.of(SOFTMAX).tensor(x).integer(x.rank() - 1).bool(false).result();
  }

  /** The logarithm of the softmax along the last dimension. */
  public static Tensor logSoftmax(Tensor x) {
    return Call.of(LOG_SOFTMAX).tensor(x).integer(x.rank() - 1).bool(false).result();
  }

  /** The gradient of {@link #softmax}, from its output. */
  public static Tensor softmaxBackward(Tensor gradOutput, Tensor output) {
    return Call.of(SOFTMAX_BACKWARD)
        .tensor(gradOutput)
        .tensor(output)
        .integer(output.rank() - 1)
        .dtype(output.dtype())
        .result();
  }

  /**
   * Root-mean-square normalisation of the last dimension, in fp32 inside.
   *
   * @return the normalised values in the dtype of {@code x}, and one over the root mean square,
   *     fp32 {@code [..., 1]}
   */
  public static Tensor[] rmsNorm(Tensor x, @Nullable Tensor weight, double epsilon) {
    return Call.of(RMS_NORM)
        .tensor(x)
        .integers(x.size(-1))
        .optionalTensor(weight)
        .optionalFloating(epsilon)
        .results(2);
  }

  /**
   * The gradients of {@link #rmsNorm}; CUDA only.
   *
   * @return of {@code x} and of the weight
   */
  public static Tensor[] rmsNormBackward(
      Tensor gradOutput, Tensor x, Tensor inverseRms, Tensor weight) {
    return Call.of(RMS_NORM_BACKWARD)
        .tensor(gradOutput)
        .tensor(x)
        .integers(x.size(-1))
        .tensor(inverseRms)
        .optionalTensor(weight)
        .bools(true, true)
        .results(2);
  }
}
