package dev.duoka.train.step;

import dev.duoka.model.LanguageModel;
import dev.duoka.model.layer.SelectionBias;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Measures how evenly experts are used; reads back, and so waits for the device. */
public final class ExpertBalance {
  private ExpertBalance() {}

  /**
   * Of each mixture of experts that the model counts, in the order of the layers, the tokens of its
   * busiest expert as a multiple of an equal share: 1 where all have the same. Of this rank's
   * tokens, before the ranks' counts are summed.
   */
  public static List<Double> of(LanguageModel model) {
    List<Double> busiest = new ArrayList<>();
    for (SelectionBias bias : model.selectionBiases()) {
      Tensor load = bias.load();
      if (load != null) {
        double[] tokens = HostCopy.doubles(load);
        double sum = Arrays.stream(tokens).sum();
        busiest.add(sum == 0 ? 0 : Arrays.stream(tokens).max().orElse(0) * tokens.length / sum);
      }
    }
    return busiest;
  }
}
