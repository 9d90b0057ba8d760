package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GpuOrderTests {
  private static Topology machine(int gpus, BiFunction<Integer, Integer, String> cell) {
    StringBuilder text = new StringBuilder();
    IntStream.range(0, gpus).forEach(i -> text.append("\tGPU").append(i));
    text.append("\tCPU Affinity\n");
    for (int i = 0; i < gpus; i++) {
      text.append("GPU").append(i);
      for (int j = 0; j < gpus; j++) {
        text.append('\t').append(i == j ? "X" : cell.apply(Math.min(i, j), Math.max(i, j)));
      }
      text.append("\t0-3\n");
    }
    return TopologyReader.read(text.toString(), "made up");
  }

  private static List<Integer> all(Topology topology) {
    return topology.gpus().stream().map(Gpu::index).toList();
  }

  private static List<List<Integer>> neighbours(int ranks, int size) {
    return IntStream.range(0, ranks / size)
        .mapToObj(group -> IntStream.range(group * size, group * size + size).boxed().toList())
        .toList();
  }

  /** Groups of neighbours first, then those that have the same place in them. */
  private static List<GpuOrder.Exchange> exchanges(int ranks, int size) {
    List<List<Integer>> across =
        IntStream.range(0, size)
            .mapToObj(
                at ->
                    IntStream.range(0, ranks / size).mapToObj(group -> group * size + at).toList())
            .toList();
    return List.of(
        new GpuOrder.Exchange(neighbours(ranks, size), false), new GpuOrder.Exchange(across, true));
  }

  private static List<Integer> order(Topology topology, int ranks, int size) {
    return GpuOrder.of(topology, all(topology), ranks, exchanges(ranks, size));
  }

  @Test
  void pairsThatAreBridgedInOrderStayInOrder() {
    Topology straight = machine(4, (a, b) -> a / 2 == b / 2 ? "NV4" : "SYS");
    assertThat(order(straight, 4, 2)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void crossedBridgesChangeTheOrder() {
    Topology crossed = machine(4, (a, b) -> b - a == 2 ? "NV4" : "SYS");
    assertThat(order(crossed, 4, 2)).containsExactly(0, 2, 1, 3);
    assertThat(order(crossed, 2, 2)).as("two of them").containsExactly(0, 2);
  }

  @Test
  void behindSwitchesOfTwoSocketsPairsShareASwitchAndStagesASocket() {
    // Numbered by turns: even ones on the first socket, odd ones on the second.
    Topology boxes = machine(8, (a, b) -> a % 2 != b % 2 ? "SYS" : a / 4 == b / 4 ? "PIX" : "NODE");
    List<Integer> order = order(boxes, 8, 4);
    for (List<Integer> group : neighbours(8, 4)) {
      assertThat(group.stream().map(order::get).map(gpu -> gpu % 2).distinct()).hasSize(1);
    }
    List<Integer> pairs = order(boxes, 8, 2);
    for (List<Integer> pair : neighbours(8, 2)) {
      assertThat(boxes.link(pairs.get(pair.getFirst()), pairs.get(pair.getLast())))
          .hasValue(Link.of(LinkKind.PIX));
    }
  }

  @Test
  void whereAllAreEqualNothingMoves() {
    Topology full = machine(16, (a, b) -> "NV18");
    for (int size : new int[] {1, 2, 4, 8, 16}) {
      assertThat(order(full, 16, size)).isEqualTo(all(full));
    }
  }

  @Test
  void onlyTheGivenGpusAreTaken() {
    Topology crossed = machine(4, (a, b) -> b - a == 2 ? "NV4" : "SYS");
    assertThat(GpuOrder.of(crossed, List.of(1, 2, 3), 2, exchanges(2, 2))).containsExactly(1, 3);
  }

  @Test
  void everyRankHasAGpuOfItsOwnWhateverTheMachine() {
    for (int seed = 0; seed < 100; seed++) {
      Topology topology = TopologyReader.read(MadeUpMachine.of(new Random(seed)).text(), "made up");
      List<Integer> gpus = all(topology);
      for (int size = 1; size <= gpus.size(); size++) {
        if (gpus.size() % size == 0) {
          assertThat(order(topology, gpus.size(), size))
              .as("seed %d", seed)
              .containsExactlyInAnyOrderElementsOf(gpus);
        }
      }
    }
  }

  @Test
  void realMachinesKeepPairsOnNvlinkWhereThereAreSuchPairs() throws IOException {
    try (Stream<Path> files = Files.list(CorpusFolder.find("topo"))) {
      for (Path file : files.filter(it -> it.toString().endsWith(".txt")).sorted().toList()) {
        Topology topology = TopologyReader.read(Files.readString(file), file.toString());
        Placement placement = Placement.of(topology);
        int gpus = topology.gpus().size();
        if (gpus % 2 != 0
            || placement.nvlinkGroups().stream().anyMatch(group -> group.size() % 2 != 0)) {
          continue;
        }
        List<Integer> order = order(topology, gpus, 2);
        for (List<Integer> pair : neighbours(gpus, 2)) {
          assertThat(topology.link(order.get(pair.getFirst()), order.get(pair.getLast())))
              .as("%s: %s", file, order)
              .hasValueSatisfying(link -> assertThat(link.isNvlink()).isTrue());
        }
      }
    }
  }
}
