package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.plan.LayoutCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Tries other orders of the stages for the best pipelines that a search has found. Weight gradients
 * apart fill what ranks wait; several stages a rank make each wait shorter, and take more messages
 * and memory.
 */
final class PipelineOrders {
  /** Of the best so many pipelines other orders are tried. */
  private static final int TRIED = 48;

  private static final int MOST_STAGES = 4;

  private final PlanRequest request;
  private final Evaluator evaluator;

  PipelineOrders(PlanRequest request, Evaluator evaluator) {
    this.request = request;
    this.evaluator = evaluator;
  }

  /** These candidates and those whose stages work in another order, best first. */
  List<Candidate> with(List<Candidate> ranked) {
    List<Candidate> all = new ArrayList<>(ranked);
    ranked.stream()
        .map(Candidate::layout)
        .filter(layout -> layout.pipeline() > 1 && evaluator.isCounted(layout))
        .limit(TRIED)
        .flatMap(layout -> others(layout).stream())
        .filter(layout -> evaluator.fit(layout, evaluator.demand(layout)) == Fit.FITS)
        .map(evaluator::candidate)
        .forEach(all::add);
    all.sort(Candidate.BEST_FIRST);
    return all;
  }

  private List<Layout> others(Layout layout) {
    List<Layout> others = new ArrayList<>();
    // Where blocks are run again their weight gradients come with the input's.
    if (layout.recompute() != Recompute.FULL) {
      others.add(layout.with(new PipelineOrder(PipelineKind.ZERO_BUBBLE, 1)));
    }
    for (int each = 2; each <= MOST_STAGES; each++) {
      Layout interleaved = layout.with(new PipelineOrder(PipelineKind.INTERLEAVED, each));
      if (LayoutCheck.allows(
          request.shape().config(),
          interleaved,
          request.job().sequenceLength(),
          OptionalInt.empty(),
          List.of())) {
        others.add(interleaved);
      }
    }
    return others;
  }
}
