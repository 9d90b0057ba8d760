package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.Routing;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RoutingKernels;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The routing to experts that are spread over the ranks of a group, where each rank sees all
 * tokens' rows and takes what its experts need. What they put out is summed for each token, by
 * expert on their rank and then over the ranks. Over few ranks it moves little more than what is
 * needed: most tokens have an expert on each.
 *
 * <p>All ranks have as many tokens, n. Every method but {@link #ends}, {@link #rows}, {@link
 * #counts} and {@link #holdOn} is collective.
 *
 * @param chosen by the tokens here, int64 {@code [n·k]}; of the caller's scope
 * @param experts of the model
 * @param perToken k
 * @param here which rows are for the experts here
 * @param group the ranks
 */
record GatheredRouting(Tensor chosen, int experts, int perToken, RowsHere here, Communicator group)
    implements Routing {
  /**
   * The routing of these choices. Collective.
   *
   * @param chosen int64 {@code [n, k]}
   * @param dtype what the model computes in
   */
  static GatheredRouting of(
      Tensor chosen, int experts, Dtype dtype, Communicator group, RowCounts counts) {
    int k = Math.toIntExact(chosen.size(1));
    Tensor own = Views.reshape(Views.dense(chosen), -1);
    try (Tensor all = Tensors.empty(Dtype.INT64, chosen.device(), own.elements() * group.size())) {
      group.allGather(own, all).join();
      return new GatheredRouting(
          own, experts, k, here(all, experts, k, dtype, group, counts), group);
    }
  }

  private static RowsHere here(
      Tensor all, int experts, int k, Dtype dtype, Communicator group, RowCounts counts) {
    int each = experts / group.size();
    int first = group.rank() * each;
    boolean byKernels = RoutingKernels.take(all, experts, dtype);
    if (all.device().isMeta()) {
      long rows = all.elements() / group.size();
      return byKernels
          ? KernelRows.balanced(all, experts, k, each, dtype, rows)
          : ReferenceRows.balanced(all, k, each, rows);
    }
    return byKernels
        ? KernelRows.of(all, experts, k, first, each, dtype, counts)
        : ReferenceRows.of(all, k, first, each);
  }

  @Override
  public Tensor ends() {
    return here.ends();
  }

  @Override
  public double rows() {
    return chosen.elements();
  }

  @Override
  public Tensor counts() {
    return Indexing.counts(chosen, experts);
  }

  @Override
  public void holdOn(Tape tape) {
    here.holdOn(tape);
  }

  @Override
  public Tensor spread(Tensor rows) {
    try (Tensor all = gathered(Views.dense(rows))) {
      return here.spread(all);
    }
  }

  @Override
  public Tensor gather(Tensor sortedRows, @Nullable Tensor addend) {
    Tensor sums = summed(here.gather(sortedRows));
    return addend == null ? sums : Elementwise.add(sums, addend);
  }

  @Override
  public Tensor sort(Tensor values) {
    try (Tensor all = gathered(Views.reshape(Views.dense(values), -1, 1))) {
      return here.sort(all);
    }
  }

  @Override
  public Tensor unsort(Tensor values) {
    return Views.reshape(summed(here.unsort(values)), -1, perToken);
  }

  /** What all ranks have, in their order: {@code [n, w] → [m, w]}. */
  private Tensor gathered(Tensor own) {
    Tensor all = Tensors.empty(own.dtype(), own.device(), own.size(0) * group.size(), own.size(1));
    group.allGather(own, all).join();
    return all;
  }

  /** The sum over the ranks of what belongs to this one: {@code [m, w] → [n, w]}. */
  private Tensor summed(Tensor all) {
    try (all) {
      Tensor own =
          Tensors.empty(all.dtype(), all.device(), all.size(0) / group.size(), all.size(1));
      group.reduceScatter(Views.dense(all), own).join();
      return own;
    }
  }
}
