package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Adds a vector to every row: {@code y = x + b}. The gradient of {@code b} is summed in fp32. */
public final class AddBias extends Function {
  private final Parameter bias;

  /** Adds {@code bias [w]} to rows {@code [n, w]}. */
  public AddBias(Parameter bias) {
    this.bias = bias;
  }

  @Override
  public String name() {
    return "add " + bias.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(bias);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {Elementwise.add(inputs[0], bias.value())};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {only(gradOutputs)};
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = Matrices.flat(only(gradOutputs));
    Tensor wide =
        gradient.dtype() == Dtype.FLOAT64 ? gradient : Copies.cast(gradient, Dtype.FLOAT32);
    bias.addGradient(Reductions.sum(wide, 0, false));
  }
}
