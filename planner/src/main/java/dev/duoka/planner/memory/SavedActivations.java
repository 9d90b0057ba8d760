package dev.duoka.planner.memory;

import dev.duoka.formats.modelconfig.AttentionShape;
import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;

/**
 * What one layer keeps for its backward pass, per token of a rank: flash attention, RMSNorm that
 * keeps its input, SwiGLU that keeps gate and up, no dropout. With tensor parallelism sequences are
 * split where weights are not.
 */
final class SavedActivations {
  private SavedActivations() {}

  /** Bytes per token that a layer keeps under the layout's recompute. */
  static double perToken(
      ModelShape shape, LayerShape layer, Layout layout, Job job, EngineTraits engine) {
    return switch (layout.recompute()) {
      case FULL -> (double) layout.precision().bytes() * shape.hidden() / layout.tensor();
      case SELECTIVE, NONE -> perToken(shape, layer, layout, job, engine, layout.recompute());
    };
  }

  /** Bytes per token that a layer keeps under {@code recompute}, which is not full. */
  static double perToken(
      ModelShape shape,
      LayerShape layer,
      Layout layout,
      Job job,
      EngineTraits engine,
      Recompute recompute) {
    boolean all = recompute == Recompute.NONE;
    AttentionShape attention = shape.attention();
    double hidden = shape.hidden();
    double gathered = engine.keepsGathered() ? layout.tensor() : 1;
    double norms = 2 * hidden + (all ? 2 * hidden * gathered : 0);
    double heads =
        (double) attention.queryWidth()
            + attention.keyWidth()
            + attention.valueWidth()
            + (double) engine.attentionCopies() * attention.resultWidth();
    double latents = (all ? 2.0 : 1.0) * attention.latentWidth();
    double mlp = (all ? 3.0 : 2.0) * layer.width();
    double experts =
        layer.expertsPerToken()
            * imbalance(layout, job)
            * ((all ? hidden : 0) + (all ? 3.0 : 2.0) * layer.expertWidth());
    double elements = (norms + heads + mlp + experts) / layout.tensor() + latents;
    double logSumExp = 4.0 * attention.heads() / layout.tensor();
    double router = 8.0 * layer.experts() / layout.tensor();
    return layout.precision().bytes() * elements + logSumExp + router;
  }

  /** The busiest rank's tokens against an equal share; all experts at home cannot be unequal. */
  static double imbalance(Layout layout, Job job) {
    return layout.expert() > 1 ? job.imbalance() : 1;
  }
}
