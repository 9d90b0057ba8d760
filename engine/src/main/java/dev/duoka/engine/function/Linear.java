package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.scaled.ScaledMatrix;
import dev.duoka.tensor.scaled.ScaledProducts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · Wᵀ}: {@code [..., in] → [..., out]} with {@code W [out, in]}, no bias. With a
 * second input {@code [..., out]} it is added: a residual connection that costs no pass of its own.
 *
 * <p>Where the weight multiplies in 8 bits ({@link Parameter#multipliesScaled}), all three products
 * do, and of the input its 8-bit columns are kept.
 */
public final class Linear extends Function {
  private final Parameter weight;

  /** A product with {@code weight}. */
  public Linear(Parameter weight) {
    this.weight = weight;
  }

  @Override
  public String name() {
    return "linear " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2.0 * outputs[0].elements() * inputs[0].size(-1);
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    long rows = x.elements() / x.size(-1);
    return new ProductShape.Linear(
        x.dtype(), weight.multipliesScaled(rows), rows, x.size(-1), weight.value().size(0));
  }

  @Override
  public double productSpeed(Tensor[] inputs) {
    long rows = inputs[0].elements() / inputs[0].size(-1);
    return weight.multipliesScaled(rows) ? 2 : 1;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor x = inputs[0];
    long[] shape = x.shape();
    shape[shape.length - 1] = weight.value().size(0);
    Tensor residual = inputs.length == 2 ? Matrices.flat(inputs[1]) : null;
    return new Tensor[] {Views.reshape(product(saved, Matrices.flat(x), residual), shape)};
  }

  private Tensor product(SavedTensors saved, Tensor x, @Nullable Tensor residual) {
    if (weight.multipliesScaled(x.size(0))) {
      ScaledMatrix rows = ScaledInput.quantize(saved, x);
      return ScaledProducts.transposedB(rows, weight.scaled().matrix(), residual, x.dtype());
    }
    saved.saveInput("x", 0);
    return residual == null
        ? Products.mmTransposedB(x, weight.value())
        : Products.mmTransposedBPlus(residual, x, weight.value());
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor residual = saved.inputCount() == 2 ? only(gradOutputs) : null;
    if (!saved.needsInputGradient(0)) {
      return new @Nullable Tensor[] {null, residual};
    }
    Tensor gradient = Matrices.flat(only(gradOutputs));
    long[] shape = only(gradOutputs).shape();
    shape[shape.length - 1] = weight.value().size(1);
    Tensor product;
    if (weight.multipliesScaled(gradient.size(0))) {
      ScaledMatrix rows = ScaledInput.quantizeGradient(saved, gradient);
      product =
          ScaledProducts.transposedB(rows, weight.scaled().transpose(), null, gradient.dtype());
    } else {
      product = Products.mm(gradient, weight.value());
    }
    return new @Nullable Tensor[] {Views.reshape(product, shape), residual};
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = Matrices.flat(only(gradOutputs));
    if (weight.multipliesScaled(gradient.size(0))) {
      weight.addGradientProduct(
          ScaledInput.gradientColumns(saved, gradient), ScaledInput.columns(saved));
    } else {
      weight.addGradientProduct(gradient, Matrices.flat(saved.get("x")));
    }
  }
}
