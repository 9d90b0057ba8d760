package dev.duoka.planner.time;

import dev.duoka.layout.Layout;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.schedule.Timeline;
import java.util.List;

/**
 * How long the slowest rank of a pipeline waits in a step.
 *
 * @param layout of the step
 * @param stages seconds of a micro-batch in each stage
 */
record PipelineIdle(Layout layout, List<Seconds> stages) {
  /**
   * After so many micro-batches for each rank a pipeline is full: each further one takes as long.
   */
  private static final int FULL = 3;

  /**
   * Seconds of a step beyond the slowest rank's own work: of one forward, one backward by its
   * closed form, since every stage waits once for each of the others; of other orders by their
   * timeline.
   *
   * @param slowest seconds of a micro-batch on the slowest rank
   */
  double seconds(double slowest) {
    int ranks = layout.pipeline();
    if (ranks == 1) {
      return 0;
    }
    if (layout.order().kind() == PipelineKind.ONE_F_ONE_B) {
      return stages.stream().mapToDouble(Seconds::total).sum() - slowest;
    }
    int microBatches = Math.min(layout.accumulation(), FULL * ranks);
    Timeline timeline =
        Timeline.of(
            PipelineSchedules.of(
                layout.order().kind(), ranks, layout.order().stagesPerRank(), microBatches),
            stages.stream().map(this::parts).toList());
    return Math.max(0, timeline.seconds() - microBatches * slowest);
  }

  /** A forward pass is a third of a stage's time; run again, a quarter, and then W goes with B. */
  private Timeline.StageTime parts(Seconds stage) {
    double seconds = stage.total();
    return layout.recompute() == Recompute.FULL
        ? new Timeline.StageTime(seconds / 4, seconds * 3 / 4, 0, 0)
        : new Timeline.StageTime(seconds / 3, seconds / 3, seconds / 3, 0);
  }
}
