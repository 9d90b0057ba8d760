package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.Routing;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The routing to experts that are spread over the ranks of a group. Rows go out, and sums of
 * outputs come back, once for each token and rank; sums are added in a fixed order, by expert on
 * the experts' rank and by rank on the token's. Every method but {@link #ends}, {@link #rows},
 * {@link #counts} and {@link #holdOn} is collective.
 *
 * @param plan which rows go where
 * @param group the ranks
 */
record ExchangedRouting(ExchangePlan plan, Communicator group) implements Routing {
  @Override
  public Tensor ends() {
    return plan.ends();
  }

  @Override
  public double rows() {
    return plan.row().elements();
  }

  @Override
  public Tensor counts() {
    return plan.counts();
  }

  @Override
  public void holdOn(Tape tape) {
    tape.hold(plan.sentToken());
    tape.hold(plan.row());
    tape.hold(plan.slot());
    tape.hold(plan.ends());
    tape.hold(plan.counts());
  }

  @Override
  public Tensor spread(Tensor rows) {
    return Indexing.rows(out(rows), plan.row());
  }

  @Override
  public Tensor gather(Tensor sortedRows, @Nullable Tensor addend) {
    Tensor perRow = summed(sortedRows, plan.row(), plan.received());
    Tensor perToken = back(perRow);
    return addend == null ? perToken : Elementwise.add(perToken, addend);
  }

  @Override
  public Tensor sort(Tensor values) {
    return Indexing.rows(Views.reshape(out(values), -1, 1), plan.slot());
  }

  @Override
  public Tensor unsort(Tensor values) {
    Tensor placed = summed(values, plan.slot(), plan.received() * plan.perToken());
    return back(Views.reshape(placed, plan.received(), plan.perToken()));
  }

  /** Sends tokens' rows to their experts' ranks: {@code [n, w] → [received, w]}. */
  private Tensor out(Tensor rows) {
    Tensor send = Indexing.rows(Views.dense(rows), plan.sentToken());
    Tensor received = Tensors.empty(rows.dtype(), rows.device(), plan.received(), rows.size(1));
    plan.out(group, send, received).join();
    return received;
  }

  /** The way back, where the rows of a token are added: {@code [received, w] → [n, w]}. */
  private Tensor back(Tensor rows) {
    Tensor returned = Tensors.empty(rows.dtype(), rows.device(), plan.sent(), rows.size(1));
    plan.back(group, rows, returned).join();
    return summed(returned, plan.sentToken(), plan.tokens());
  }

  private static Tensor summed(Tensor rows, Tensor target, long count) {
    return count == 0 || rows.size(0) == 0
        ? Tensors.zeros(rows.dtype(), rows.device(), count, rows.size(1))
        : Indexing.sumRows(Views.dense(rows), target, count);
  }
}
