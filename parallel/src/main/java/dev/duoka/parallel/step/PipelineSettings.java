package dev.duoka.parallel.step;

import dev.duoka.comm.Communicator;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.plan.StagePlan;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.schedule.Schedule;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How a model is cut into stages, and in which order they work.
 *
 * @param kind the schedule
 * @param stagesPerRank several for an interleaved schedule, 1 for any other
 * @param layers decoder layers of each stage; empty for stages of about equal cost
 * @param table a schedule that is read from a file, for its number of micro-batches alone; empty
 *     for that of {@code kind}
 */
public record PipelineSettings(
    PipelineKind kind, int stagesPerRank, List<Integer> layers, Optional<Schedule> table) {
  /** One stage a rank, one forward, one backward. */
  public static final PipelineSettings DEFAULT =
      new PipelineSettings(PipelineKind.ONE_F_ONE_B, 1, List.of());

  public PipelineSettings {
    layers = List.copyOf(layers);
  }

  /** One of the schedules that are made here. */
  public PipelineSettings(PipelineKind kind, int stagesPerRank, List<Integer> layers) {
    this(kind, stagesPerRank, layers, Optional.empty());
  }

  /** The schedule of a step. */
  public Schedule training(int ranks, int microBatches) {
    return table.orElseGet(() -> PipelineSchedules.of(kind, ranks, stagesPerRank, microBatches));
  }

  /** The schedule of an evaluation. */
  Schedule evaluation(int ranks, int microBatches) {
    return PipelineSchedules.forwardOnly(rankOfStages(ranks), ranks, microBatches);
  }

  /** The groups of a mesh whose pipeline works like this; collective. */
  MeshGroups groups(Mesh mesh, Communicator world) {
    List<Integer> rankOfStages = rankOfStages(mesh.pipeline());
    return new MeshGroups(mesh, world, rankOfStages.getFirst(), rankOfStages.getLast());
  }

  /** How many stages some ranks run. */
  public int stages(int ranks) {
    return rankOfStages(ranks).size();
  }

  /** The rank that each stage lies on. */
  public List<Integer> rankOfStages(int ranks) {
    return table
        .map(Schedule::rankOfStages)
        .orElseGet(
            () -> IntStream.range(0, ranks * stagesPerRank).map(it -> it % ranks).boxed().toList());
  }

  /** What a rank of a mesh holds. */
  public RankPlan plan(Mesh mesh, int rank, ModelConfig model, int length, int predictionDepth) {
    List<Integer> rankOfStages = rankOfStages(mesh.pipeline());
    StagePlan stages =
        layers.isEmpty()
            ? StagePlan.balanced(model, rankOfStages.size(), length, predictionDepth)
            : StagePlan.ofLayers(model, layers);
    int pipelineRank = mesh.coordinate(rank, Mesh.Axis.PIPELINE);
    List<Integer> own =
        IntStream.range(0, rankOfStages.size())
            .filter(stage -> rankOfStages.get(stage) == pipelineRank)
            .boxed()
            .toList();
    return new RankPlan(mesh, rank, stages, own);
  }
}
