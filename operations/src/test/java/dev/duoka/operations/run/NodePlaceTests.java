package dev.duoka.operations.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class NodePlaceTests {
  private static NodePlace of(Map<String, String> environment) {
    return NodePlace.of(OptionalInt.empty(), OptionalInt.empty(), Optional.empty(), environment);
  }

  @Test
  void flagsGoBeforeTheEnvironment() {
    NodePlace place =
        NodePlace.of(
            OptionalInt.of(2),
            OptionalInt.of(1),
            Optional.of("a:29500"),
            Map.of("PET_NNODES", "4", "PET_NODE_RANK", "3"));
    assertThat(place)
        .isEqualTo(new NodePlace(2, 1, "a:29500", "--nodes, --node-rank, --rendezvous"));
  }

  @Test
  void kubeflowsVariablesAreOfTheNode() {
    assertThat(
            of(
                Map.of(
                    "PET_NNODES", "4",
                    "PET_NODE_RANK", "3",
                    "PET_MASTER_ADDR", "job-node-0-0.job",
                    "PET_MASTER_PORT", "29500")))
        .isEqualTo(new NodePlace(4, 3, "job-node-0-0.job:29500", "PET_NNODES, PET_NODE_RANK"));
    assertThat(of(Map.of("PET_NNODES", "1")).nodes()).isEqualTo(1);
  }

  /** Volcano counts pods: without a local rank the variables are of machines. */
  @Test
  void ranksWithoutLocalOnesAreNodes() {
    Map<String, String> pods =
        Map.of("WORLD_SIZE", "2", "RANK", "1", "MASTER_ADDR", "m", "MASTER_PORT", "23456");
    assertThat(of(pods)).isEqualTo(new NodePlace(2, 1, "m:23456", "WORLD_SIZE, RANK"));
    assertThat(of(Map.of("WORLD_SIZE", "2", "RANK", "1", "LOCAL_RANK", "1", "MASTER_ADDR", "m")))
        .isEqualTo(NodePlace.ALONE);
    assertThat(of(Map.of())).isEqualTo(NodePlace.ALONE);
  }

  @Test
  void aStepOfSlurmsIsOfMachinesWhereEachHasOneTask() {
    Map<String, String> step =
        Map.of(
            "SLURM_STEP_ID", "0",
            "SLURM_STEP_NUM_NODES", "2",
            "SLURM_STEP_NUM_TASKS", "2",
            "SLURM_PROCID", "1",
            "SLURM_JOB_ID", "41234567",
            "SLURM_STEP_NODELIST", "gpu[03-04]");
    assertThat(of(step))
        .isEqualTo(new NodePlace(2, 1, "gpu03:24567", "SLURM_STEP_NUM_NODES, SLURM_PROCID"));
    NodePlace.requireOneOnEachMachine(step);
    Map<String, String> four = new HashMap<>(step);
    four.put("SLURM_STEP_NUM_TASKS", "4");
    assertThat(of(four)).isEqualTo(NodePlace.ALONE);
    assertThatThrownBy(() -> NodePlace.requireOneOnEachMachine(four))
        .hasMessageContaining("4 tasks on 2 nodes, and --supervise wants one on each");
    Map<String, String> script = new HashMap<>(step); // not within a step
    script.remove("SLURM_STEP_ID");
    assertThat(of(script)).isEqualTo(NodePlace.ALONE);
  }

  @Test
  void refusesWhatIsMissingOrContradictsItself() {
    assertThatThrownBy(() -> of(Map.of("PET_NNODES", "2", "PET_NODE_RANK", "2")))
        .hasMessageContaining("node 2 of 2");
    assertThatThrownBy(() -> of(Map.of("PET_NNODES", "2", "PET_NODE_RANK", "0")))
        .hasMessageContaining("says not where they meet");
    assertThatThrownBy(() -> of(Map.of("PET_NNODES", "two")))
        .hasMessageContaining("PET_NNODES is 'two'");
    assertThatThrownBy(
            () ->
                NodePlace.of(OptionalInt.of(2), OptionalInt.empty(), Optional.of("a:1"), Map.of()))
        .hasMessageContaining("--node-rank does not say");
  }

  @Test
  void workersShareTheRanks() {
    NodePlace two = new NodePlace(2, 0, "a:1", "");
    assertThat(two.workers(8, OptionalInt.empty())).isEqualTo(1);
    assertThat(two.workers(8, OptionalInt.of(1))).isEqualTo(4);
    assertThatThrownBy(() -> two.workers(8, OptionalInt.of(3)))
        .hasMessageContaining("8 ranks, which 2 nodes");
  }
}
