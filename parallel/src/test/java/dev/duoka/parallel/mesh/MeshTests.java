package dev.duoka.parallel.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.parallel.mesh.Mesh.Axis;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MeshTests {
  @Test
  void tensorRanksAreNeighboursAndStagesFarApart() {
    Mesh mesh = new Mesh(2, 1, 2, 1, 2, 1);
    assertThat(mesh.group(5, EnumSet.of(Axis.TENSOR))).containsExactly(4, 5);
    assertThat(mesh.group(5, EnumSet.of(Axis.SHARD))).containsExactly(5, 7);
    assertThat(mesh.group(5, EnumSet.of(Axis.PIPELINE))).containsExactly(1, 5);
    assertThat(mesh.group(5, EnumSet.of(Axis.SHARD, Axis.TENSOR))).containsExactly(4, 5, 6, 7);
    assertThat(IntStream.range(0, 8).map(mesh::dataRank)).containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
  }

  @Test
  void expertsSpreadOverNeighboursOfOneStage() {
    Mesh mesh = new Mesh(2, 1, 2, 1, 2, 2);
    assertThat(mesh.expertGroup(5)).containsExactly(4, 5);
    assertThat(mesh.expertReplicas(5)).containsExactly(5, 7);
    Mesh all = new Mesh(2, 1, 2, 1, 2, 4);
    assertThat(all.expertGroup(5)).containsExactly(4, 5, 6, 7);
    assertThat(all.expertReplicas(5)).containsExactly(5);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1, 1", "2, 2, 2, 1, 1, 2", "1, 2, 1, 2, 2, 4", "4, 1, 2, 1, 1, 2",
    "1, 1, 8, 1, 1, 8", "2, 1, 1, 2, 2, 4", "1, 2, 2, 1, 2, 2", "3, 1, 1, 1, 2, 1"
  })
  void everyKindOfGroupDividesTheWorld(
      int pipeline, int replicate, int shard, int context, int tensor, int expert) {
    Mesh mesh = new Mesh(pipeline, replicate, shard, context, tensor, expert);
    for (Axis axis : Axis.values()) {
      Set<List<Integer>> groups =
          ranks(mesh)
              .mapToObj(rank -> mesh.group(rank, EnumSet.of(axis)))
              .collect(Collectors.toSet());
      assertThat(groups).allMatch(group -> group.size() == mesh.size(axis));
      assertThat(groups.stream().mapToInt(List::size).sum()).isEqualTo(mesh.size());
    }
    // Each expert group has all parts once, and each part's replicas one of each group.
    ranks(mesh)
        .forEach(
            rank -> {
              assertThat(mesh.expertGroup(rank).stream().map(mesh::expertPart))
                  .doesNotHaveDuplicates()
                  .hasSize(expert);
              assertThat(mesh.expertReplicas(rank)).hasSize(mesh.size() / pipeline / expert);
              int stage = mesh.coordinate(rank, Axis.PIPELINE);
              assertThat(mesh.expertGroup(rank))
                  .allMatch(other -> mesh.coordinate(other, Axis.PIPELINE) == stage);
            });
  }

  @Test
  void expertsOverRanksThatDoNotDivideAreRefused() {
    assertThatThrownBy(() -> new Mesh(1, 1, 2, 1, 3, 4))
        .hasMessageContaining("experts over 4 ranks do not divide shard × context × tensor = 6");
  }

  /** The communicators have the ranks that the arithmetic says, in the world's order. */
  @ParameterizedTest
  @CsvSource({"2, 1, 2, 1, 2, 2", "1, 2, 1, 2, 2, 4", "4, 1, 2, 1, 1, 1"})
  void groupsAreThoseOfTheMesh(
      int pipeline, int replicate, int shard, int context, int tensor, int expert) {
    Mesh mesh = new Mesh(pipeline, replicate, shard, context, tensor, expert);
    Map<Integer, List<List<Integer>>> seen = new ConcurrentHashMap<>();
    LocalRanks.run(
        mesh.size(),
        world -> {
          try (MeshGroups groups = new MeshGroups(mesh, world)) {
            seen.put(
                world.rank(),
                List.of(
                    members(groups.pipeline(), world),
                    members(groups.cut(), world),
                    members(groups.whole(), world),
                    members(groups.context(), world),
                    members(groups.tensor(), world),
                    members(groups.expert(), world),
                    members(groups.expertReplicas(), world)));
          }
        });
    for (int rank = 0; rank < mesh.size(); rank++) {
      EnumSet<Axis> cut = EnumSet.of(Axis.REPLICATE, Axis.SHARD, Axis.CONTEXT);
      assertThat(seen.get(rank))
          .containsExactly(
              mesh.group(rank, EnumSet.of(Axis.PIPELINE)),
              mesh.group(rank, cut),
              mesh.group(rank, EnumSet.complementOf(EnumSet.of(Axis.PIPELINE))),
              mesh.group(rank, EnumSet.of(Axis.CONTEXT)),
              mesh.group(rank, EnumSet.of(Axis.TENSOR)),
              mesh.expertGroup(rank),
              mesh.expertReplicas(rank));
    }
  }

  @Test
  void aSmallerMeshKeepsWhatDivides() {
    Mesh asked = new Mesh(2, 1, 3, 1, 4, 12);
    assertThat(asked.within(24)).isEqualTo(asked);
    assertThat(asked.within(8)).isEqualTo(new Mesh(2, 1, 1, 1, 4, 4));
    assertThat(asked.within(6)).as("the largest").isEqualTo(new Mesh(1, 1, 3, 1, 2, 6));
    assertThat(asked.within(1)).isEqualTo(new Mesh(1, 1, 1, 1, 1, 1));
  }

  @Test
  void aMeshIsWrittenAsRunFilesWriteIt() {
    Mesh asked = new Mesh(1, 2, 4, 1, 2, 1);
    assertThat(MeshExchange.text(asked.within(8), asked))
        .isEqualTo("{tensor: 2, data: 4, replicate: 1}");
    assertThat(MeshExchange.REPLICAS.groups(asked)).hasSize(8).contains(List.of(0, 8));
  }

  @Test
  void exchangesFollowTheAxes() {
    Mesh mesh = new Mesh(2, 1, 2, 1, 2, 4);
    assertThat(MeshExchange.TENSOR.groups(mesh))
        .containsExactly(List.of(0, 1), List.of(2, 3), List.of(4, 5), List.of(6, 7));
    assertThat(MeshExchange.EXPERT.groups(mesh))
        .containsExactly(List.of(0, 1, 2, 3), List.of(4, 5, 6, 7));
    assertThat(MeshExchange.PIPELINE.groups(mesh))
        .containsExactly(List.of(0, 4), List.of(1, 5), List.of(2, 6), List.of(3, 7));
    assertThat(MeshExchange.CONTEXT.groups(mesh)).isEmpty();
    for (MeshExchange exchange : MeshExchange.values()) {
      exchange.groups(mesh).forEach(it -> assertThat(it).hasSize(exchange.size(mesh)));
    }
  }

  /** Each rank writes its number of the world to its place of the group. */
  private static List<Integer> members(Communicator group, Communicator world) {
    double[] places = new double[group.size()];
    places[group.rank()] = world.rank();
    group.agreement().sum(places);
    return IntStream.range(0, places.length).mapToObj(i -> (int) places[i]).toList();
  }

  private static IntStream ranks(Mesh mesh) {
    return IntStream.range(0, mesh.size());
  }
}
