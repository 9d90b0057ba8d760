package dev.duoka.parallel.step;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.plan.StagePlan;
import dev.duoka.parallel.schedule.PipelineKind;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.schedule.Schedule;
import java.util.List;

/**
 * How a model is cut into stages, and in which order they work.
 *
 * @param kind the schedule
 * @param stagesPerRank several for an interleaved schedule, 1 for any other
 * @param layers decoder layers of each stage; empty for stages of about equal cost
 */
public record PipelineSettings(PipelineKind kind, int stagesPerRank, List<Integer> layers) {
  /** One stage a rank, one forward, one backward. */
  public static final PipelineSettings DEFAULT =
      new PipelineSettings(PipelineKind.ONE_F_ONE_B, 1, List.of());

  public PipelineSettings {
    layers = List.copyOf(layers);
  }

  /** The schedule of a step. */
  Schedule training(int ranks, int microBatches) {
    return kind.of(ranks, stagesPerRank, microBatches);
  }

  /** The schedule of an evaluation. */
  Schedule evaluation(int ranks, int microBatches) {
    return PipelineSchedules.forwardOnly(ranks, stagesPerRank, microBatches);
  }

  /** What a rank of a mesh holds. */
  RankPlan plan(Mesh mesh, int rank, ModelConfig model, int length, int predictionDepth) {
    int count = mesh.pipeline() * stagesPerRank;
    StagePlan stages =
        layers.isEmpty()
            ? StagePlan.balanced(model, count, length, predictionDepth)
            : StagePlan.ofLayers(model, layers);
    int pipelineRank = mesh.coordinate(rank, Mesh.Axis.PIPELINE);
    List<Integer> own = evaluation(mesh.pipeline(), 1).stagesOf(pipelineRank);
    return new RankPlan(mesh, rank, stages, own);
  }
}
