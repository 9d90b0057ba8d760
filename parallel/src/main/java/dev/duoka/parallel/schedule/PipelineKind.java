package dev.duoka.parallel.schedule;

/** The schedules of a pipeline that a run can name. */
public enum PipelineKind {
  /** All micro-batches forward, then all backward (GPipe). */
  GPIPE,
  /** One forward, one backward. */
  ONE_F_ONE_B,
  /** One forward, one backward over several stages a rank. */
  INTERLEAVED,
  /** Weight gradients apart, where a rank would wait (ZB-H1). */
  ZERO_BUBBLE;

  /**
   * The schedule of one step.
   *
   * @param ranks of the pipeline
   * @param stagesPerRank 1 except for {@link #INTERLEAVED}
   */
  public Schedule of(int ranks, int stagesPerRank, int microBatches) {
    if (ranks == 1) {
      return Schedule.withoutPipeline(microBatches);
    }
    return switch (this) {
      case GPIPE -> PipelineSchedules.allForwardAllBackward(ranks, microBatches);
      case ONE_F_ONE_B -> PipelineSchedules.oneForwardOneBackward(ranks, microBatches);
      case INTERLEAVED -> PipelineSchedules.interleaved(ranks, stagesPerRank, microBatches);
      case ZERO_BUBBLE -> PipelineSchedules.zeroBubble(ranks, microBatches);
    };
  }
}
