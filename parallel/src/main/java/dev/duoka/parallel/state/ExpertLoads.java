package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Purpose;
import dev.duoka.model.layer.SelectionBias;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
import java.util.List;
import java.util.Objects;

/**
 * Sums how many tokens each expert was given over the ranks, for all layers in one small
 * collective, and moves the selection biases by the sums, which are the same on every rank.
 */
public final class ExpertLoads {
  private ExpertLoads() {}

  /**
   * Sums the loads and moves the biases. Collective; launches, and waits for no device.
   *
   * @param biases of all layers that were run, in the order of the layers
   * @param data the ranks that see other tokens
   * @param rate γ, how far each bias moves; at 0 the counts are forgotten
   */
  public static void balance(List<SelectionBias> biases, Communicator data, double rate) {
    List<Tensor> loads = biases.stream().map(SelectionBias::load).filter(Objects::nonNull).toList();
    if (!loads.isEmpty() && data.size() > 1) {
      sum(loads, data);
    }
    biases.forEach(bias -> bias.move(rate));
  }

  private static void sum(List<Tensor> loads, Communicator data) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor all = Copies.concatenate(0, loads.toArray(Tensor[]::new));
      try (Purpose _ = Purpose.of("loads of experts")) {
        data.allReduce(all).join();
      }
      long start = 0;
      for (Tensor load : loads) {
        long experts = load.size(0);
        Copies.into(load, Views.narrow(all, 0, start, experts));
        start += experts;
      }
    }
  }
}
