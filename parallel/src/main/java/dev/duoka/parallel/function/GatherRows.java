package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Collects the rows of all ranks of a group, in their order: {@code [n / ranks, w] → [n, w]}; the
 * gradient is summed over the ranks, and each keeps that of its own rows. Collective, both ways.
 *
 * <p>Counts as cheap: selective recompute gathers again rather than keep all rows on every rank
 * (Korthikanti et al., arXiv:2205.05198 §4.2.2).
 */
final class GatherRows extends Function {
  private final Communicator group;

  GatherRows(Communicator group) {
    this.group = group;
  }

  @Override
  public String name() {
    return "gather rows";
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {gathered(group, inputs[0])};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {summed(group, only(gradOutputs))};
  }

  /** All ranks' rows. */
  static Tensor gathered(Communicator group, Tensor rows) {
    Tensor dense = Views.dense(rows);
    Tensor all =
        Tensors.empty(rows.dtype(), rows.device(), rows.size(0) * group.size(), rows.size(1));
    group.allGather(dense, all).join();
    return all;
  }

  /** This rank's part of the rows, summed over the ranks; leaves nothing of use in {@code all}. */
  static Tensor summed(Communicator group, Tensor all) {
    Tensor mine = Tensors.empty(all.dtype(), all.device(), all.size(0) / group.size(), all.size(1));
    group.reduceScatter(Views.dense(all), mine).join();
    return mine;
  }
}
