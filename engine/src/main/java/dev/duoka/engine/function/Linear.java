package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · Wᵀ}: {@code [..., in] → [..., out]} with {@code W [out, in]}, no bias. With a
 * second input {@code [..., out]} it is added: a residual connection that costs no pass of its own.
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
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor x = inputs[0];
    saved.saveInput("x", 0);
    long[] shape = x.shape();
    shape[shape.length - 1] = weight.value().size(0);
    Tensor flat = Views.reshape(x, -1, x.size(-1));
    Tensor product =
        inputs.length == 2
            ? Products.mmTransposedBPlus(Matrices.flat(inputs[1]), flat, weight.value())
            : Products.mmTransposedB(flat, weight.value());
    return new Tensor[] {Views.reshape(product, shape)};
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
    return new @Nullable Tensor[] {
      Views.reshape(Products.mm(gradient, weight.value()), shape), residual
    };
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    weight.addGradientProduct(Matrices.flat(only(gradOutputs)), Matrices.flat(saved.get("x")));
  }
}
