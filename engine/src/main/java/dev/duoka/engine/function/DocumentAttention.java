package dev.duoka.engine.function;

import dev.duoka.engine.function.Documents.Stretch;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;

/**
 * Causal attention within each document alone: document by document, those of sequences that are
 * divided alike at once.
 */
final class DocumentAttention {
  private final Documents documents;
  private final double scale;

  DocumentAttention(Documents documents, double scale) {
    this.documents = documents;
    this.scale = scale;
  }

  /** Does something with a document of neighbouring sequences. */
  private interface Use {
    void accept(int firstSequence, int sequences, Stretch document);
  }

  private void each(Use use) {
    int first = 0;
    while (first < documents.sequences()) {
      List<Stretch> alike = documents.of(first);
      int end = first + 1;
      while (end < documents.sequences() && documents.of(end).equals(alike)) {
        end++;
      }
      for (Stretch document : alike) {
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          use.accept(first, end - first, document);
        }
      }
      first = end;
    }
  }

  private static Tensor part(Tensor whole, int first, int sequences, Stretch document) {
    return Views.narrow(
        Views.narrow(whole, 0, first, sequences), 2, document.start(), document.length());
  }

  /**
   * The output {@code [b, heads, t, v]}, and the log-sum-exp of the scores {@code [b, heads, t]}.
   */
  Tensor[] forward(Tensor query, Tensor key, Tensor value) {
    Tensor output =
        Tensors.empty(
            query.dtype(),
            query.device(),
            query.size(0),
            query.size(1),
            query.size(2),
            value.size(3));
    Dtype wide = query.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    Tensor logSums =
        Tensors.empty(wide, query.device(), query.size(0), query.size(1), query.size(2));
    each(
        (first, sequences, document) -> {
          Tensor[] results =
              PartialAttention.forward(
                  part(query, first, sequences, document),
                  part(key, first, sequences, document),
                  part(value, first, sequences, document),
                  document.length() > 1,
                  scale,
                  true);
          Copies.into(part(output, first, sequences, document), results[0]);
          Copies.into(part(logSums, first, sequences, document), results[1]);
        });
    return new Tensor[] {output, logSums};
  }

  /** The gradients of query, key and value. */
  Tensor[] backward(
      Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor output, Tensor logSums) {
    Tensor[] gradients = {like(query), like(key), like(value)};
    each(
        (first, sequences, document) -> {
          Tensor[] parts =
              PartialAttention.backward(
                  part(gradient, first, sequences, document),
                  part(query, first, sequences, document),
                  part(key, first, sequences, document),
                  part(value, first, sequences, document),
                  part(output, first, sequences, document),
                  part(logSums, first, sequences, document),
                  document.length() > 1,
                  scale,
                  true);
          for (int i = 0; i < parts.length; i++) {
            Copies.into(part(gradients[i], first, sequences, document), parts[i]);
          }
        });
    return gradients;
  }

  private static Tensor like(Tensor tensor) {
    return Tensors.empty(tensor.dtype(), tensor.device(), tensor.shape());
  }
}
