package dev.duoka.train.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import dev.duoka.parallel.mesh.MeshExchange;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.RunFile;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class MeshPlacementTests {
  private static final String FILE =
      """
      model: {preset: tiny-v3}
      data: {sources: [a.txt], sequence_length: 64}
      training: {tokens_per_step: 65536, steps: 5}
      device: cuda
      """;

  static Topology machine(int gpus, BiFunction<Integer, Integer, String> cell) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < gpus; i++) {
      text.append("GPU ").append(i).append(": NVIDIA A100-SXM4-80GB (UUID: x)\n");
    }
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

  private static final Topology CROSSED = machine(4, (a, b) -> b - a == 2 ? "NV4" : "SYS");
  private static final Topology BRIDGED = machine(4, (a, b) -> a / 2 == b / 2 ? "NV4" : "SYS");

  private static MeshPlacement placed(Topology topology, String... overrides) {
    return MeshPlacement.of(
        RunFile.parse("run.yaml", FILE, List.of(overrides)),
        ProcessPlace.ALONE,
        MachineView.of(topology, "topo.txt"));
  }

  private static List<Integer> gpus(MeshPlacement placement) {
    return placement.seats().stream().map(seat -> seat.gpu().orElseThrow()).toList();
  }

  private static List<String> links(MeshPlacement placement, MeshExchange exchange) {
    return placement.groups().stream()
        .filter(group -> group.exchange() == exchange)
        .map(group -> group.slowest().label())
        .toList();
  }

  @Test
  void tensorPairsLieOnBridgesWhereverTheyAre() {
    String mesh = "parallel={pipeline: 2, tensor: 2}";
    assertThat(gpus(placed(BRIDGED, mesh))).containsExactly(0, 1, 2, 3);
    MeshPlacement crossed = placed(CROSSED, mesh);
    assertThat(gpus(crossed)).containsExactly(0, 2, 1, 3);
    assertThat(links(crossed, MeshExchange.TENSOR)).containsExactly("NV4", "NV4");
    assertThat(links(crossed, MeshExchange.PIPELINE)).containsExactly("SYS", "SYS");
  }

  @Test
  void dataIsOutermost() {
    assertThat(links(placed(CROSSED, "parallel={data: 2, pipeline: 2}"), MeshExchange.PIPELINE))
        .containsExactly("NV4", "NV4");
    MeshPlacement experts = placed(CROSSED, "parallel={data: 4, expert: 2}");
    assertThat(links(experts, MeshExchange.EXPERT)).containsExactly("NV4", "NV4");
    assertThat(links(experts, MeshExchange.DATA)).containsExactly("SYS");
  }

  /** What shares states exchanges more than replicas do. */
  @Test
  void replicasLieFarthestApart() {
    MeshPlacement placement = placed(CROSSED, "parallel={data: 4, replicate: 2, zero: 3}");
    assertThat(gpus(placement)).containsExactly(0, 2, 1, 3);
    assertThat(links(placement, MeshExchange.DATA)).containsExactly("NV4", "NV4");
    assertThat(links(placement, MeshExchange.REPLICAS)).containsExactly("SYS", "SYS");
  }

  @Test
  void theRunFileHasTheLastWord() {
    MeshPlacement placement =
        placed(CROSSED, "parallel={pipeline: 2, tensor: 2}", "device=\"cuda:3,2,1,0\"");
    assertThat(gpus(placement)).containsExactly(3, 2, 1, 0);
    assertThat(placement.order()).isEqualTo(MeshPlacement.Order.NAMED);
    assertThat(Explanation.of(placement).getFirst()).contains("3, 2, 1, 0");
  }

  @Test
  void explainsWithTheRatesOfTheLinks() {
    List<String> sentences = Explanation.of(placed(CROSSED, "parallel={pipeline: 2, tensor: 2}"));
    assertThat(sentences)
        .anyMatch(it -> it.contains("in the order 0, 2, 1, 3"))
        .anyMatch(it -> it.contains("over NVLink NV4, 100 GB/s each way"))
        .anyMatch(
            it ->
                it.startsWith(
                    "Rank 1, GPU 2 (NVIDIA A100-SXM4-80GB): tensor with 0 over NV4 (100 GB/s),"
                        + " pipeline with 3 over SYS"));
    assertThat(sentences).hasSize(1 + 2 + 4);
    assertThat(
            Explanation.of(
                MeshPlacement.of(
                    RunFile.parse("run.yaml", FILE, List.of("device=cpu", "parallel={data: 2}")),
                    ProcessPlace.ALONE,
                    MachineView.without("none"))))
        .contains("Rank 1, a thread: data with 0 over memory.");
  }

  @Test
  void whatDoesNotFitTheMachineNamesWhatDoes() {
    MeshPlacement placement = placed(CROSSED, "parallel={data: 4, tensor: 2, expert: 8}");
    assertThat(placement.order()).isEqualTo(MeshPlacement.Order.MISSING);
    assertThat(placement.refusal())
        .contains(
            new FieldProblem(
                "parallel",
                "8 ranks want a GPU each, but the machine of topo.txt has 4 GPUs",
                "Nearest that fits: parallel {tensor: 2, expert: 4, data: 2}"));
    assertThat(placement.seats()).noneMatch(seat -> seat.gpu().isPresent());
    assertThat(refusal(CROSSED, "device=\"cuda:4\""))
        .startsWith("device: device is cuda:4, but the machine of topo.txt has 4 GPUs");
    assertThat(placed(CROSSED, "parallel={data: 4}").refusal()).isEmpty();
    assertThat(placed(CROSSED, "parallel={data: 8}", "device=cpu").refusal()).isEmpty();
  }

  private static String refusal(Topology topology, String... overrides) {
    FieldProblem problem = placed(topology, overrides).refusal().orElseThrow();
    return problem.field() + ": " + problem.problem();
  }

  @Test
  void aRunForGpusIsCheckedWhereThereAreNoneAndSaysWhatWasAssumed() {
    MeshPlacement placement =
        MeshPlacement.of(
            RunFile.parse("run.yaml", FILE, List.of("parallel={data: 4, tensor: 2}")),
            ProcessPlace.ALONE,
            MachineView.without("no driver"));
    assertThat(placement.refusal()).isEmpty();
    assertThat(placement.order()).isEqualTo(MeshPlacement.Order.ASSUMED);
    assertThat(placement.notices())
        .singleElement()
        .asString()
        .startsWith("This machine has no usable GPU (no driver), so it was checked for one with 8");
    assertThat(Explanation.of(placement).getFirst()).startsWith("This machine has no GPUs");
  }

  @Test
  void processesOfSeveralMachinesExchangeOverTheNetwork() {
    MeshPlacement placement =
        placed(CROSSED, "parallel={data: 4, tensor: 2}", "launch.ranks_per_process=2");
    assertThat(gpus(placement)).containsExactly(0, 2, 1, 3, 0, 2, 1, 3);
    assertThat(placement.seats()).extracting(Seat::node).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
    assertThat(links(placement, MeshExchange.TENSOR)).containsOnly("NV4");
    assertThat(links(placement, MeshExchange.DATA)).containsOnly("network");
    assertThat(placement.notices()).anyMatch(it -> it.contains("2 machines like it"));
  }

  /** The page finds a seat's card by it: CUDA's numbers are not those of nvidia-smi. */
  @Test
  void jsonHasTheIdentitiesOfTheCardsOfThisMachine() {
    MachineView here =
        new MachineView(
            "this machine",
            true,
            List.of("H100", "H100"),
            List.of("GPU-a", "GPU-b"),
            Optional.empty(),
            "");
    ObjectNode json =
        PlacementJson.of(
            MeshPlacement.of(
                RunFile.parse(
                    "run.yaml", FILE, List.of("parallel={data: 4}", "launch.ranks_per_process=1")),
                ProcessPlace.ALONE,
                here));
    assertThat(json.at("/seats/0/uuid").stringValue()).isEqualTo("GPU-a");
    assertThat(json.at("/seats/1/uuid").stringValue()).isEqualTo("GPU-b");
    assertThat(json.at("/seats/2/device").stringValue()).isEqualTo("cuda:0");
    assertThat(json.at("/seats/2").has("uuid")).as("of another machine").isFalse();
  }

  @Test
  void jsonHasEachRankAndEachGroup() {
    ObjectNode json = PlacementJson.of(placed(CROSSED, "parallel={pipeline: 2, tensor: 2}"));
    assertThat(json.at("/axes/tensor").intValue()).isEqualTo(2);
    assertThat(json.at("/seats/1/device").stringValue()).isEqualTo("cuda:2");
    assertThat(json.at("/seats/1/index").intValue()).isEqualTo(2);
    assertThat(json.at("/seats/2/pipeline").intValue()).isEqualTo(1);
    assertThat(json.at("/topology/gpus").intValue()).isEqualTo(4);
    assertThat(json.at("/groups/0/slowest_link").stringValue()).isEqualTo("NV4");
    assertThat(json.at("/groups/0/gb_per_s_each_way/low").doubleValue()).isEqualTo(100);
    assertThat(json.at("/explanation").size()).isEqualTo(7);
  }
}
