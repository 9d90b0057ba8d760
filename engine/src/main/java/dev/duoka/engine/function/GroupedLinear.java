package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One linear map per expert over rows sorted by expert: {@code [rows, in] → [rows, out]} with
 * {@code W [experts, out, in]}, in one grouped product. With a {@link Lora} each expert has an
 * adapter of its own, in two grouped products more. Experts that are kept in 4 bits are in the
 * compute dtype during their products alone.
 */
public final class GroupedLinear extends Function {
  private final Parameter weight;
  private final @Nullable Lora lora;
  private final Tensor ends;
  private final double rows;

  /** A product of each group of rows with its matrix of {@code weight}. */
  public GroupedLinear(Parameter weight, Routing routing) {
    this(weight, null, routing);
  }

  /**
   * As the other constructor, where experts have adapters.
   *
   * @param lora of one part; null for none
   */
  public GroupedLinear(Parameter weight, @Nullable Lora lora, Routing routing) {
    this.weight = weight;
    this.lora = lora;
    this.ends = routing.ends();
    this.rows = routing.rows();
  }

  @Override
  public String name() {
    return "grouped linear " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    return lora == null
        ? List.of(weight)
        : List.of(weight, lora.down(), lora.parts().getFirst().up());
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2 * rows * outputs[0].size(-1) * inputs[0].size(-1);
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    int groups = Math.toIntExact(weight.spec().shape().getFirst());
    return new ProductShape.Grouped(
        x.dtype(), Math.round(rows), x.size(1), weight.spec().shape().get(1), groups);
  }

  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    return lora == null
        ? 0
        : lora.bytesBeside(
            phase, (double) inputs[0].bytes(), (double) outputs[0].bytes(), /* apart= */ true);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    if (lora != null || weight.isTrainable()) {
      saved.saveInput("x", 0);
    }
    // Before the experts' own product, which a second run for the gradients then leaves out.
    Tensor inner = lora == null ? null : lora.inner(saved, inputs[0], ends);
    Tensor y =
        weight.with(
            value -> ExpertProducts.rowsByMatrices(inputs[0], Views.transpose(value, 1, 2), ends));
    if (lora != null && inner != null) {
      lora.addOutputs(y, inner, ends);
    }
    return new Tensor[] {y};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    Tensor inner = lora == null ? null : lora.innerGradient(saved, Views.dense(gradient), ends);
    Tensor ofInput = weight.with(value -> ExpertProducts.rowsByMatrices(gradient, value, ends));
    if (lora != null && inner != null) {
      lora.addInputGradient(ofInput, inner, ends);
    }
    return new @Nullable Tensor[] {ofInput};
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = Views.dense(only(gradOutputs));
    if (lora == null) {
      weight.addGradientProductByGroup(gradient, saved.get("x"), ends);
    } else {
      lora.weightGradients(saved, saved.get("x"), gradient, ends);
    }
  }
}
