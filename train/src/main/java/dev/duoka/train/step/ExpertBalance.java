package dev.duoka.train.step;

import dev.duoka.model.LanguageModel;
import dev.duoka.model.layer.SelectionBias;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures how evenly experts are used. Like {@link GradientRanges} it is launched and read later.
 */
public final class ExpertBalance {
  /** No experts. */
  public static final ExpertBalance NONE = new ExpertBalance(List.of(), null);

  private final List<Long> experts;
  private final @Nullable DeferredRead read;

  private ExpertBalance(List<Long> experts, @Nullable DeferredRead read) {
    this.experts = List.copyOf(experts);
    this.read = read;
  }

  /** Launches the reading of this rank's counts of tokens, before those of all ranks are summed. */
  public static ExpertBalance launch(LanguageModel model) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      List<Long> experts = new ArrayList<>();
      List<Tensor> loads = new ArrayList<>();
      for (SelectionBias bias : model.selectionBiases()) {
        Tensor load = bias.load();
        if (load != null) {
          experts.add(load.elements());
          loads.add(Views.reshape(load, -1));
        }
      }
      if (loads.isEmpty()) {
        return NONE;
      }
      Tensor all = Copies.cast(Copies.concatenate(0, loads.toArray(Tensor[]::new)), Dtype.FLOAT64);
      DeferredRead read =
          new DeferredRead(all.device(), Dtype.FLOAT64, Math.toIntExact(all.elements()));
      read.start(all);
      return new ExpertBalance(experts, read);
    }
  }

  /**
   * Of each mixture of experts that the model counts, in the order of the layers, the tokens of its
   * busiest expert as a multiple of an equal share: 1 where all have the same. Once; waits until
   * the device has come to it.
   */
  public List<Double> await() {
    if (read == null) {
      return List.of();
    }
    try (read) {
      double[] all = read.await();
      List<Double> busiest = new ArrayList<>();
      int start = 0;
      for (long count : experts) {
        double[] tokens = Arrays.copyOfRange(all, start, start + Math.toIntExact(count));
        start += tokens.length;
        double sum = Arrays.stream(tokens).sum();
        busiest.add(sum == 0 ? 0 : Arrays.stream(tokens).max().orElse(0) * tokens.length / sum);
      }
      return busiest;
    }
  }
}
