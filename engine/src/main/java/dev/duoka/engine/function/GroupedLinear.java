package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One linear map per expert over rows sorted by expert: {@code [rows, in] → [rows, out]} with
 * {@code W [experts, out, in]}, in one grouped product.
 */
public final class GroupedLinear extends Function {
  private final Parameter weight;
  private final Tensor ends;
  private final double rows;

  /** A product of each group of rows with its matrix of {@code weight}. */
  public GroupedLinear(Parameter weight, Routing routing) {
    this.weight = weight;
    this.ends = routing.ends();
    this.rows = routing.rows();
  }

  @Override
  public String name() {
    return "grouped linear " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2 * rows * outputs[0].size(-1) * inputs[0].size(-1);
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    int groups = Math.toIntExact(weight.value().size(0));
    return new ProductShape.Grouped(
        x.dtype(), Math.round(rows), x.size(1), weight.value().size(1), groups);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    saved.saveInput("x", 0);
    return new Tensor[] {
      GroupedProducts.rowsByMatrices(inputs[0], Views.transpose(weight.value(), 1, 2), ends)
    };
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {
      GroupedProducts.rowsByMatrices(only(gradOutputs), weight.value(), ends)
    };
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    weight.addGradientProductByGroup(Views.dense(only(gradOutputs)), saved.get("x"), ends);
  }
}
