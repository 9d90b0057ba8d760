package dev.duoka.planner.time;

import dev.duoka.hardware.Collective;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.memory.StageParameters;
import dev.duoka.planner.memory.StateBytes;
import dev.duoka.planner.shape.ModelShape;

/** Reductions of gradients and gathers of weights, as far as computation does not hide them. */
record DataExchange(
    ModelShape shape, EngineTraits engine, LinkRates links, Layout layout, Spans spans) {
  /** The share of a micro-batch's computation that hides gathers of ZeRO 3. */
  private static final double GATHER_OVERLAP = 0.7;

  /** What shows at least of an exchange in each micro-batch. */
  private static final double LEAST = 0.1;

  /**
   * Adds what shows to a step.
   *
   * @param parameters of the rank with most of them
   * @param microBatch seconds of a micro-batch on the slowest rank
   * @param forward of these, those of its forward pass
   * @return the seconds of a micro-batch that can still hide transfers of weights
   */
  double add(
      Seconds step,
      StageParameters parameters,
      StateBytes state,
      double microBatch,
      double forward) {
    BucketExchanges trained = BucketExchanges.ofTrained(shape, links, layout, spans, parameters);
    Collective sum = layout.zero() == 0 ? Collective.ALL_REDUCE : Collective.REDUCE_SCATTER;
    Figure reduction = trained.all(sum, state.gradient());
    double hidden = engine.gradientOverlap() * microBatch;
    // Beside the first block's only the embedding's gradient is computed, and beside that nothing.
    double tail = trained.first(sum, state.gradient());
    if (layout.zero() <= 1) {
      step.add(Cause.DATA, shown(reduction, hidden, tail));
    } else {
      double least = Math.max(tail, LEAST * reduction.value());
      step.add(Cause.DATA, shown(reduction, hidden, least).times(layout.accumulation()));
    }
    if (layout.zero() == 1 || layout.zero() == 2) {
      Figure all = trained.all(Collective.ALL_GATHER, state.weight());
      // On their way while blocks before them compute, and what comes first is waited for; or
      // gathered when they are asked for, where the states come from host memory.
      double first = trained.first(Collective.ALL_GATHER, state.weight());
      double away = layout.offload() == Offload.NONE ? 0 : layout.offloadFraction();
      if (away < 1) {
        step.add(Cause.DATA, shown(all.times(1 - away), forward, first));
      }
      step.add(Cause.DATA, all.times(away));
    }
    // Between replicas shards of sums travel once, behind everything else.
    step.add(Cause.DATA, trained.betweenReplicas(state.gradient()));
    if (layout.zero() < 3) {
      return GATHER_OVERLAP * microBatch;
    }
    // What hides a reduction hides no gather beside it: both take the links.
    double left = Math.max(0, GATHER_OVERLAP * microBatch - Math.min(hidden, reduction.value()));
    return gatherBlocks(step, parameters, state, left);
  }

  /** Under ZeRO 3 weights are prefetched, by whatever shards them, forward and backward. */
  private double gatherBlocks(
      Seconds step, StageParameters parameters, StateBytes state, double hidden) {
    double bytes = layout.method().isAdapter() ? state.frozen() : state.weight();
    BucketExchanges all = BucketExchanges.ofHeld(shape, links, layout, spans, parameters);
    BucketExchanges held = engine.gathersExpertsAlone() ? all.withoutExperts() : all;
    Figure each = held.all(Collective.ALL_GATHER, bytes).times(2);
    // The first of a forward pass is waited for.
    double least = Math.max(held.first(Collective.ALL_GATHER, bytes), LEAST * each.value());
    step.add(Cause.DATA, shown(each, hidden, least).times(layout.accumulation()));
    if (engine.gathersExpertsAlone()) {
      step.add(Cause.DATA, expertGathers(parameters, state).times(layout.accumulation()));
    }
    return Math.max(0, hidden - (1 - LEAST) * each.value());
  }

  /** What shows of an exchange, and what the rest costs of the computation that hides it. */
  private Figure shown(Figure exchange, double hidden, double least) {
    if (exchange.value() == 0) {
      return Figure.ZERO;
    }
    double shown = Math.max(least, exchange.value() - hidden);
    double seconds = shown + engine.hiddenCost() * (exchange.value() - shown);
    return exchange.times(seconds / exchange.value());
  }

  /**
   * Of experts that are gathered one by one and only when the router has spoken nothing is hidden:
   * full ZeRO 3 of a mixture took 91.2 s a step where expert parallelism took 9.6 s (ms-swift, 16
   * A800).
   */
  private Figure expertGathers(StageParameters parameters, StateBytes state) {
    double weight = layout.method().isAdapter() ? state.frozen() : state.weight();
    int local = Math.max(1, shape.mixture().experts() / layout.expert());
    double count = local * Math.max(1, shape.layers() / layout.pipeline());
    return links
        .seconds(
            Collective.ALL_GATHER,
            layout.expertReplicas(),
            Math.max(spans.data(), spans.context()),
            parameters.expert() * weight / count)
        .times(2 * count);
  }
}
