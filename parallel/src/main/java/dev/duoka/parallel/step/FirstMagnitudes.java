package dev.duoka.parallel.step;

import dev.duoka.engine.function.DoraScale;
import dev.duoka.engine.function.Lora;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The magnitudes that DoRA starts from (Liu et al., arXiv:2402.09353 §4.1): the norms of the rows
 * of the weights, so that nothing is changed at the start.
 */
public final class FirstMagnitudes {
  private FirstMagnitudes() {}

  /**
   * Sets all magnitudes of a rank's model, whose other weights are there. Collective where weights
   * are shared or cut.
   */
  public static void set(TrainingRank rank) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Map<Parameter, Tensor> norms = new LinkedHashMap<>();
      for (Weight weight : rank.model().baseWeights()) {
        Lora lora = weight.lora();
        if (lora != null && lora.hasMagnitude()) {
          Tensor ofWeight = norms(rank, weight.parameter(), lora);
          for (Lora.Part part : lora.parts()) {
            Parameter magnitude = part.magnitude();
            if (magnitude != null) {
              norms.put(magnitude, Views.narrow(ofWeight, 0, part.output(), part.outputs()));
            }
          }
        }
      }
      if (!norms.isEmpty()) {
        rank.optimizer()
            .fill(
                () -> norms.forEach((magnitude, values) -> Copies.into(magnitude.value(), values)));
      }
    }
  }

  private static Tensor norms(TrainingRank rank, Parameter weight, Lora lora) {
    Portion portion = weight.spec().portion();
    boolean cutByColumns = !portion.isAll() && !portion.hasWholeRows();
    try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
      return scope.keep(
          DoraScale.norms(
              weight,
              lora,
              squares -> {
                if (cutByColumns) {
                  rank.groups().tensor().allReduce(squares).join();
                }
                return squares;
              }));
    }
  }
}
