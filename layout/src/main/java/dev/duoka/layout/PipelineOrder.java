package dev.duoka.layout;

/**
 * In which order the stages of a pipeline work.
 *
 * @param kind the schedule
 * @param stagesPerRank 1 except for {@link PipelineKind#INTERLEAVED}
 */
public record PipelineOrder(PipelineKind kind, int stagesPerRank) {
  /** One forward, one backward. */
  public static final PipelineOrder DEFAULT = new PipelineOrder(PipelineKind.ONE_F_ONE_B, 1);

  /** For example {@code interleaved 2} or {@code zero_bubble}. */
  @Override
  public String toString() {
    return stagesPerRank == 1 ? kind.toString() : kind + " " + stagesPerRank;
  }
}
