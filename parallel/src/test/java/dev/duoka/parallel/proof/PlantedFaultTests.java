package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Operation;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The proof notices each exchange that is forgotten; {@link PlantedMistakeTests} has what else can
 * be wrong.
 */
class PlantedFaultTests {
  /**
   * Model; data, tensor, pipeline, context, expert, ZeRO; the group and operation that is wrong.
   */
  @ParameterizedTest
  @CsvSource({
    "gradients not summed over data, dense, 2, 1, 2, 1, 1, 0, data, ALL_REDUCE",
    "gradient shards not summed, dense, 2, 1, 2, 1, 1, 1, data, REDUCE_SCATTER",
    "updated weights not gathered, dense, 2, 1, 2, 1, 1, 1, data, ALL_GATHER",
    "gradients of a pass not summed, dense, 2, 1, 2, 1, 1, 2, data, REDUCE_SCATTER",
    "weights of a block not gathered, dense, 2, 1, 2, 1, 1, 3, data, ALL_GATHER",
    "norms not summed over tensor, dense, 2, 2, 2, 1, 1, 1, data and tensor, REDUCE_SCATTER",
    "router not summed over tensor, v3, 2, 2, 2, 1, 1, 1, data and tensor, REDUCE_SCATTER",
    "load of the experts local, v3, 2, 2, 2, 1, 1, 1, data and tensor, ALL_REDUCE",
    "norm of this rank alone, dense, 2, 2, 2, 1, 1, 1, world, ALL_REDUCE",
    "loss of this rank alone, dense, 1, 1, 2, 1, 1, 0, world, AGREE",
    "rows not gathered, dense, 2, 2, 2, 1, 1, 0, tensor, ALL_GATHER",
    "partial products not summed, dense, 2, 2, 2, 1, 1, 0, tensor, REDUCE_SCATTER",
    "balance loss multiplied before it is summed, moe, 2, 4, 1, 1, 1, 0, tensor, ALL_REDUCE",
    "rows lost on their way to experts, moe, 4, 1, 1, 1, 4, 0, expert, ALL_TO_ALL",
    "experts not summed, moe, 4, 1, 2, 1, 2, 1, expert replicas, REDUCE_SCATTER",
    "tied embedding not summed, dense tied, 1, 1, 3, 1, 1, 0, ends of the pipeline, ALL_REDUCE",
    "copied heads not summed, dense, 1, 4, 1, 1, 1, 0, copies of heads, ALL_REDUCE",
    "gradients not summed over context, dense, 1, 1, 2, 2, 1, 0, context, ALL_REDUCE",
    "keys and values lost, dense, 1, 1, 2, 2, 1, 0, context, SEND",
    "activations lost between stages, dense, 2, 1, 2, 1, 1, 0, pipeline, SEND",
    "embedding of further tokens not summed, v3 mtp, 1, 1, 3, 1, 1, 0, ends of the pipeline,"
        + " ALL_REDUCE"
  })
  void isNoticed(
      String fault,
      String model,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      String group,
      Operation operation) {
    Trial trial =
        new Trial(
            Draw.model(model, 4, 2),
            new Mesh(pipeline, 1, data, context, tensor, expert),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            zero,
            24,
            2,
            2,
            2);
    assertThat(differences(trial, group, operation)).as(fault).isNotEmpty();
  }

  /** An error that ends the run is noticed as well. */
  private static List<?> differences(Trial trial, String group, Operation operation) {
    try {
      return Equality.FP64.differences(
          trial.runOn(world -> new FaultyCommunicator(world, group, operation)),
          trial.onOneRank().run());
    } catch (DuokaException e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }
}
