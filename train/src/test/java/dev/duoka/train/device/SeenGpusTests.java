package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import dev.duoka.parallel.mesh.Mesh;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SeenGpusTests {
  /** Two pairs with NVLink, 0 with 2 and 1 with 3, whose numbers on the bus run the other way. */
  private static Topology pairs() {
    Topology read =
        TopologyReader.read(
            """
            \tGPU0\tGPU1\tGPU2\tGPU3
            GPU0\t X \tSYS\tNV4\tSYS
            GPU1\tSYS\t X \tSYS\tNV4
            GPU2\tNV4\tSYS\t X \tSYS
            GPU3\tSYS\tNV4\tSYS\t X\s
            """,
            "topo.txt");
    List<Gpu> gpus = read.gpus().stream().map(gpu -> on(gpu, BUS.get(gpu.index()))).toList();
    return new Topology(
        read.origin(),
        gpus,
        read.links(),
        read.pciePaths(),
        read.nics(),
        read.numaNodes(),
        read.warnings());
  }

  private static final List<String> BUS =
      List.of("0000:d0:00.0", "0000:c0:00.0", "0000:b0:00.0", "0000:a0:00.0");

  private static Gpu on(Gpu gpu, String bus) {
    return new Gpu(
        gpu.index(),
        gpu.numaNode(),
        gpu.numaAffinity(),
        gpu.cpuAffinity(),
        gpu.memoryNumaNode(),
        gpu.name(),
        gpu.uuid(),
        Optional.of(bus),
        gpu.computeCapability(),
        gpu.pcie(),
        gpu.memoryBytes());
  }

  private static List<Integer> order(int ranks, List<String> bus) {
    Mesh mesh = new Mesh(1, 1, ranks / 2, 1, 2, 1);
    return SeenGpus.of(bus, pairs()).orElseThrow().order(mesh, 0, ranks);
  }

  @Test
  void aProcessOfSeveralOrdersWhatItsOwnRanksExchange() {
    Mesh mesh = new Mesh(2, 1, 1, 1, 2, 1);
    SeenGpus gpus = SeenGpus.of(BUS, pairs()).orElseThrow();
    assertThat(gpus.order(mesh, 2, 2)).as("the second stage's pair").containsExactly(0, 2);
  }

  @Test
  void neighboursShareAnNvlinkGroup() {
    assertThat(order(4, BUS)).containsExactly(0, 2, 1, 3);
    assertThat(order(2, BUS)).containsExactly(0, 2);
  }

  /** CUDA numbers cards as it likes, and writes the domain with as many digits as it likes. */
  @Test
  void numbersAreCudas() {
    List<String> cuda =
        List.of("00000000:A0:00.0", "0000:B0:00.0", "0000:C0:00.0", "00000000:D0:00.0");
    assertThat(order(4, cuda)).containsExactly(1, 3, 0, 2);
  }

  @Test
  void onlyWhatIsSeenCounts() {
    List<String> cuda = List.of("0000:c0:00.0", "0000:b0:00.0", "0000:a0:00.0");
    assertThat(order(2, cuda)).as("the pair of which both are seen").containsExactly(0, 2);
  }

  @Test
  void anUnknownCardLeavesTheOrderToCuda() {
    assertThat(SeenGpus.of(List.of("0000:d0:00.0", "0000:01:00.0"), pairs())).isEmpty();
  }
}
