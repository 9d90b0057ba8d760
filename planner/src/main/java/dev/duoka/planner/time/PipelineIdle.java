package dev.duoka.planner.time;

import dev.duoka.layout.Layout;
import dev.duoka.layout.PipelineKind;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.schedule.Timeline;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How long the slowest rank of a pipeline waits in a step.
 *
 * @param layout of the step
 * @param stages seconds of a micro-batch in each stage
 * @param shares of its passes in them
 */
record PipelineIdle(Layout layout, List<Seconds> stages, List<Timeline.StageTime> shares) {
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
            IntStream.range(0, stages.size()).mapToObj(this::parts).toList());
    return Math.max(0, timeline.seconds() - microBatches * slowest);
  }

  private Timeline.StageTime parts(int stage) {
    double seconds = stages.get(stage).total();
    Timeline.StageTime share = shares.get(stage);
    return new Timeline.StageTime(
        seconds * share.forward(),
        seconds * share.inputGradients(),
        seconds * share.weightGradients(),
        0);
  }
}
