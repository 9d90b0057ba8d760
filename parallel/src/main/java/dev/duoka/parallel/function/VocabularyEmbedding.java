package dev.duoka.parallel.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An {@link Embedding} whose vocabulary is cut over the tensor ranks (Shoeybi et al.,
 * arXiv:1909.08053 §3): int64 {@code [b, t]} give {@code [b·t, h]}, with zeros for tokens of other
 * ranks. The sum over the ranks is the embedding, exactly.
 */
final class VocabularyEmbedding extends Function {
  private final Embedding whole;
  private final Parameter weight;
  private final VocabularyRows rows;

  VocabularyEmbedding(Embedding whole) {
    this.whole = whole;
    this.weight = whole.parameters().getFirst();
    this.rows = VocabularyRows.of(weight);
  }

  @Override
  public String name() {
    return whole.name();
  }

  @Override
  public List<Parameter> parameters() {
    return whole.parameters();
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor tokens = Views.reshape(whole.tokens(), -1);
    Tensor contained = rows.contains(tokens);
    Tensor embedded = Indexing.rows(weight.value(), rows.places(tokens, contained));
    Elementwise.mulInPlace(embedded, column(contained, embedded));
    return new Tensor[] {embedded};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[0];
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor tokens = Views.reshape(whole.tokens(), -1);
    Tensor contained = rows.contains(tokens);
    // In the main gradient's dtype: a frequent token adds thousands of rows.
    Tensor wide = Copies.cast(only(gradOutputs), weight.gradient().dtype());
    weight.addGradient(
        Indexing.sumRows(
            Elementwise.mul(wide, column(contained, wide)),
            rows.places(tokens, contained),
            rows.count()));
  }

  private static Tensor column(Tensor contained, Tensor like) {
    return Views.reshape(Copies.cast(contained, like.dtype()), -1, 1);
  }
}
