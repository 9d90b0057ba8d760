package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.NormKernels;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Root-mean-square normalisation of the last dimension (Zhang and Sennrich, arXiv:1910.07467):
 * {@code y = w · x / √(mean(x²) + ε)}, computed in fp32.
 */
public final class RmsNorm extends Function {
  private final Parameter weight;
  private final double epsilon;

  /** A normalisation with scale {@code weight [h]}. */
  public RmsNorm(Parameter weight, double epsilon) {
    this.weight = weight;
    this.epsilon = epsilon;
  }

  @Override
  public String name() {
    return "rms norm " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor[] results = normalise(inputs[0], weight, epsilon);
    saved.saveInput("x", 0);
    saved.save("inverse rms", results[1]);
    return new Tensor[] {results[0]};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    if (NormKernels.take(saved.get("x"))) {
      Tensor x = saved.get("x");
      Tensor residual = saved.takeGradientSoFar(0);
      Tensor again =
          saved.wantsOutputsAgain() ? Tensors.empty(x.dtype(), x.device(), x.shape()) : null;
      Tensor parts = weight.isTrainable() ? NormKernels.parts(x) : null;
      Tensor gradient =
          NormKernels.backward(
              Views.dense(only(gradOutputs)),
              x,
              weight.value(),
              saved.get("inverse rms"),
              residual == null ? null : Views.dense(residual),
              again,
              parts);
      if (again != null) {
        saved.giveOutputsAgain(again);
      }
      if (parts != null) {
        saved.save("weight gradient parts", parts);
      }
      return new @Nullable Tensor[] {gradient};
    }
    return new @Nullable Tensor[] {
      inputGradient(only(gradOutputs), saved.get("x"), saved.get("inverse rms"), weight)
    };
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    if (saved.has("weight gradient parts")) {
      weight.addGradientParts(saved.get("weight gradient parts"));
      return;
    }
    weight.addGradient(weightGradient(only(gradOutputs), saved.get("x"), saved.get("inverse rms")));
  }

  /** The normalised values, and one over the root mean square, fp32 or wider, {@code [..., 1]}. */
  static Tensor[] normalise(Tensor x, Parameter weight, double epsilon) {
    return NormKernels.take(x)
        ? NormKernels.forward(x, weight.value(), epsilon)
        : Activations.rmsNorm(x, weight.value(), epsilon);
  }

  /**
   * The gradient of {@code x}, composed in the order in which PyTorch differentiates x ·
   * rsqrt(mean(x²) + ε): through the product, then through the mean.
   */
  static Tensor inputGradient(Tensor gradient, Tensor x, Tensor inverseRms, Parameter weight) {
    Tensor wide = wide(x);
    Tensor scaled = Elementwise.mul(wide(gradient), wide(weight.value()));
    Tensor inverseGradient = Reductions.sum(Elementwise.mul(scaled, wide), -1, true);
    Tensor cube = Elementwise.mul(Elementwise.mul(inverseRms, inverseRms), inverseRms);
    Tensor meanGradient =
        Elementwise.mul(Elementwise.mul(inverseGradient, cube), -1.0 / x.size(-1));
    Tensor result =
        Elementwise.add(Elementwise.mul(scaled, inverseRms), Elementwise.mul(wide, meanGradient));
    return Copies.cast(result, x.dtype());
  }

  /** The gradient of the weight, fp32 or wider, {@code [h]}. */
  static Tensor weightGradient(Tensor gradient, Tensor x, Tensor inverseRms) {
    Tensor product = Elementwise.mul(wide(gradient), Elementwise.mul(wide(x), inverseRms));
    return Reductions.sum(Matrices.flat(product), 0, false);
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.dtype() == Dtype.FLOAT64 ? tensor : Copies.cast(tensor, Dtype.FLOAT32);
  }
}
