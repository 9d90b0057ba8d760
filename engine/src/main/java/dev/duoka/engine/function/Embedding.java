package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.EmbeddingKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks up a row per token: int64 {@code [b, t]} and {@code W [vocabulary, h] → [b·t, h]}. */
public final class Embedding extends Function {
  private final Parameter weight;
  private final Tensor tokens;

  /** A look-up of {@code tokens}, which must outlive the backward pass. */
  public Embedding(Parameter weight, Tensor tokens) {
    this.weight = weight;
    this.tokens = tokens;
  }

  /** What is looked up, int64 {@code [b, t]}. */
  public Tensor tokens() {
    return tokens;
  }

  @Override
  public String name() {
    return "embedding";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {Indexing.rows(weight.value(), Views.reshape(tokens, -1))};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[0];
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor dy = Matrices.flat(only(gradOutputs));
    if (EmbeddingKernel.take(dy, weight.gradient())) {
      Tensor flat = Views.reshape(tokens, -1);
      Tensor order = Indexing.sortedOrder(flat);
      Tensor keys = Indexing.gather(flat, 0, order);
      weight.addGradientInPlace(target -> EmbeddingKernel.add(target, keys, order, dy));
      return;
    }
    // Summed in the main gradient's dtype: a frequent token adds thousands of rows.
    Tensor gradient = Copies.cast(only(gradOutputs), weight.gradient().dtype());
    weight.addGradient(
        Indexing.sumRows(
            Matrices.flat(gradient), Views.reshape(tokens, -1), weight.value().size(0)));
  }
}
