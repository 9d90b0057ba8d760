package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopologyReaderTests {
  private static Topology read(String text) {
    return TopologyReader.read(text, "paste");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  \n\n",
        "No devices were found\n",
        "bash: nvidia-smi: command not found",
        "GPU0 and GPU1 talk over NV12, GPU2 does not",
        "\tNIC0\tNIC1\nNIC0\t X \tPIX\nNIC1\tPIX\t X \n",
        "Legend:\n\n  X    = Self\n  SYS  = far\n",
        "\tGPU0\tGPU1\nGPU0\tX\tOK\nGPU1\tOK\tX\n"
      })
  void textWithoutMatrixIsOneError(String text) {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(text))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.FORMAT))
        .withMessageStartingWith("cannot read paste: ");
  }

  @Test
  void thousandGpus() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      text.append("\tGPU").append(i);
    }
    text.append("\tCPU Affinity\tNUMA Affinity\n");
    for (int i = 0; i < 1000; i++) {
      text.append("GPU").append(i);
      for (int j = 0; j < 1000; j++) {
        text.append(i == j ? "\t X " : i / 500 == j / 500 ? "\tNV18" : "\tSYS");
      }
      text.append("\t0-63\t").append(i / 500).append('\n');
    }
    Topology topology = read(text.toString());
    assertThat(topology.gpus()).hasSize(1000);
    assertThat(topology.links()).hasSize(499_500);
    assertThat(topology.nvlinkDomains()).extracting(List::size).containsExactly(500, 500);
    assertThat(topology.warnings()).isEmpty();
  }

  @Test
  void absurdMatrixIsRefused() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 6000; i++) {
      text.append(" GPU").append(i);
    }
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(text + " CPU Affinity\nGPU0 X NV1\n"))
        .withMessageContaining("no machine's");
  }

  @Test
  void manyCliquesEnd() {
    // the complement of disjoint triangles has 3^(n/3) maximal cliques
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 48; i++) {
      text.append("GPU").append(i);
      for (int j = 0; j < 48; j++) {
        text.append(i == j ? " X" : i / 3 == j / 3 ? " SYS" : " NV1");
      }
      text.append(" 0-3 0\n");
    }
    assertThat(read(text.toString()).nvlinkDomains()).hasSize(NvlinkDomains.MOST_DOMAINS);
  }

  @Test
  void contradictionIsLeftOutAndNamed() {
    Topology topology =
        read("\tGPU0\tGPU1\tGPU2\nGPU0\tX\tNV4\tSYS\nGPU1\tNV2\tX\tSYS\nGPU2\tSYS\tSYS\tX\n");
    assertThat(topology.link(0, 1)).isEmpty();
    assertThat(topology.link(1, 2)).contains(Link.of(LinkKind.SYS));
    assertThat(topology.warnings()).singleElement().asString().contains("0-1 NV4 or NV2");
  }

  @Test
  void oneHalfAloneIsUsedAndNamed() {
    Topology topology =
        read("\tGPU0\tGPU1\tGPU2\tCPU Affinity\nGPU0\tX\tNV4\tSYS\t0-3\nGPU2\tSYS\tPIX\tX\t0-3\n");
    assertThat(topology.gpus()).hasSize(3);
    assertThat(topology.link(0, 1)).contains(Link.nvlink(4));
    assertThat(topology.link(1, 2)).contains(Link.of(LinkKind.PIX));
    assertThat(topology.warnings()).hasSize(2);
    assertThat(topology.warnings().getFirst()).contains("missing: GPU1");
    assertThat(topology.warnings().get(1)).contains("0-1, 1-2");
  }

  @Test
  void whatATextHoldsInsteadOfAMatrixIsNamed() {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read("Failed to initialize NVML: Driver/library version mismatch\n"))
        .withMessageContaining("it says so itself");
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(" \tGPU0\tGPU1\n GPU0\tX\tGNS\n GPU1\tGNS\tX\n"))
        .withMessageContaining("topo -p2p alone");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nvidia-smi topo -mp", "$ sudo nvidia-smi topo --matrix_pci"})
  void pciMatrixAloneSaysNothingOfNvlink(String command) {
    Topology topology =
        read(command + "\n\tGPU0\tGPU1\tCPU Affinity\nGPU0\tX\tNODE\t0-3\nGPU1\tNODE\tX\t0-3\n");
    assertThat(topology.pcieOnly()).isTrue();
    assertThat(topology.warnings()).singleElement().asString().contains("not shown");
    assertThat(Placement.of(topology).reasons().getFirst()).contains("not known");
    assertThat(TopologyJson.of(topology).get("nvlink_shown").booleanValue()).isFalse();
  }

  @Test
  void bothMatricesTellOfNvlink() {
    Topology topology =
        read(
            """
            $ nvidia-smi topo -mp
            \tGPU0\tGPU1\tCPU Affinity
            GPU0\tX\tNODE\t0-3
            GPU1\tNODE\tX\t0-3
            $ nvidia-smi topo -m
            \tGPU0\tGPU1\tCPU Affinity
            GPU0\tX\tNV4\t0-3
            GPU1\tNV4\tX\t0-3
            """);
    assertThat(topology.pcieOnly()).isFalse();
    assertThat(topology.link(0, 1)).contains(Link.nvlink(4));
    assertThat(topology.warnings()).isEmpty();
  }

  private static final String THREE =
      """
      \tGPU0\tGPU1\tGPU2\tCPU Affinity
      GPU0\tX\tPHB\tSYS\t0-3
      GPU1\tPHB\tX\tSYS\t0-3
      GPU2\tSYS\tSYS\tX\t4-7

      """;

  @ParameterizedTest
  @ValueSource(strings = {"CNS", "GNS", "TNS", "NS", "DR"})
  void peerAccessOfTheSameTextIsTold(String state) {
    Topology topology =
        read(
            THREE
                + "$ nvidia-smi topo -p2p r\n \tGPU0\tGPU1\tGPU2\n GPU0\tX\tOK\t"
                + state
                + "\n GPU1\tOK\tX\t"
                + state
                + "\n GPU2\t"
                + state
                + "\t"
                + state
                + "\tX\n");
    assertThat(topology.warnings())
        .singleElement()
        .asString()
        .contains("No peer access between 0-2, 1-2", state);
  }

  @ParameterizedTest
  @ValueSource(strings = {"n", "a"})
  void linksAndAtomicsAreNotPeerAccess(String capability) {
    Topology topology =
        read(
            THREE
                + "$ nvidia-smi topo -p2p "
                + capability
                + "\n \tGPU0\tGPU1\tGPU2\n GPU0\tX\tNS\tNS\n GPU1\tNS\tX\tNS\n GPU2\tNS\tNS\tX\n");
    assertThat(topology.warnings()).isEmpty();
  }

  @Test
  void peerAccessThatIsThereIsNoWarning() {
    assertThat(
            read(THREE
                    + " \tGPU0\tGPU1\tGPU2\n GPU0\tX\tOK\tOK\n GPU1\tOK\tX\tOK\n"
                    + " GPU2\tOK\tOK\tX\n")
                .warnings())
        .isEmpty();
  }

  @Test
  void nodesBeforeTheGpusMemoryAreTheHosts() {
    Topology topology =
        read(
            """
            \tGPU0\tGPU1\tGPU2\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID
            GPU0\t X \tNV18\tNV18\t0-71\t0,2-9,18-25\t\t2
            GPU1\tNV18\t X \tNV18\t0-71\t0,2-9,18-25\t\t10
            GPU2\tNV18\tNV18\t X \t72-143\t0-1,26-33\t\t18
            """);
    // The last list names both hosts' nodes, so it is not one certain node.
    assertThat(topology.gpus())
        .extracting(gpu -> gpu.numaNode().orElse(-1))
        .containsExactly(0, 0, -1);
  }

  @Test
  void clippedNumaColumnIsThatOfRowsWithTheSameCpus() {
    Topology topology =
        read(
            """
                    GPU0    GPU1    GPU2    GPU3    CPU Affinity    NUMA Affinity
            GPU0     X      NV4     SYS     SYS     0-15            0
            GPU1    NV4      X      SYS     SYS     0-15
            GPU2    SYS     SYS      X      NV4     16-31
            GPU3    SYS     SYS     NV4      X      16-31           N/A
            """);
    assertThat(topology.gpus())
        .extracting(gpu -> gpu.numaNode().orElse(-1))
        .containsExactly(0, 0, -1, -1);
  }

  @Test
  void graceNodesAreTheCpus() {
    Topology topology =
        read(
            """
            \tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID
            GPU0\t X \tNV18\t0-71\t0,2-17\t\t2
            GPU1\tNV18\t X \t72-143\t1,18-33\t\t18
            """);
    assertThat(topology.gpus()).extracting(gpu -> gpu.numaNode().orElse(-1)).containsExactly(0, 1);
    assertThat(topology.gpus())
        .extracting(gpu -> gpu.memoryNumaNode().orElse(-1))
        .containsExactly(2, 18);
  }

  @Test
  void differentMatricesAreTold() {
    String first = "\tGPU0\tGPU1\tCPU Affinity\nGPU0\tX\tNV4\t0-3\nGPU1\tNV4\tX\t0-3\n\n";
    String second =
        """
        \tGPU0\tGPU1\tGPU2\tCPU Affinity
        GPU0\tX\tSYS\tSYS\t0-3
        GPU1\tSYS\tX\tSYS\t0-3
        GPU2\tSYS\tSYS\tX\t0-3
        """;
    Topology topology = read("host a\n" + first + "host b\n" + second);
    assertThat(topology.gpus()).hasSize(2);
    assertThat(topology.warnings())
        .singleElement()
        .asString()
        .contains("line 2")
        .contains("line 7");
  }

  @Test
  void pciViewCompletesTheMatrix() {
    String all =
        "$ nvidia-smi topo -m\n\tGPU0\tGPU1\tCPU Affinity\nGPU0\tX\tNV4\t0-3\nGPU1\tNV4\tX\t0-3\n";
    String paths =
        "$ nvidia-smi topo -mp\n\tGPU0\tGPU1\tCPU Affinity\nGPU0\tX\tPXB\t0-3\nGPU1\tPXB\tX\t0-3\n";
    Topology topology = read(all + paths);
    assertThat(topology.link(0, 1)).contains(Link.nvlink(4));
    assertThat(topology.pciePath(0, 1)).contains(Link.of(LinkKind.PXB));
    assertThat(topology.switches()).singleElement().satisfies(s -> assertThat(s.tree()).isTrue());
    assertThat(read(paths + all)).isEqualTo(topology);
  }

  @Test
  void namesComeFromTheListOfGpus() {
    Topology topology =
        read(
            """
            GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-1)
              MIG 1g.10gb Device 0: (UUID: MIG-2)
            \tGPU0\tCPU Affinity\tNUMA Affinity
            GPU0\t X \t0-3\t0
            """);
    assertThat(topology.gpus().getFirst().name()).contains("NVIDIA A100-SXM4-80GB");
  }

  @Test
  void bytesAreReadOrRefused() {
    Random random = new Random(7);
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = new byte[random.nextInt(400)];
      random.nextBytes(bytes);
      readOrRefuse(new String(bytes, StandardCharsets.ISO_8859_1));
    }
  }

  @Test
  void mutatedMatricesAreReadOrRefused() {
    Random random = new Random(11);
    String[] pieces = {
      "GPU",
      "NIC",
      "\t",
      "\n",
      " ",
      "X",
      "NV",
      "NV99",
      "NV100",
      "GPU9999",
      "0-",
      ",",
      "N/A",
      "CPU",
      "Affinity",
      "NUMA",
      "\u001b[",
      "GPU0\tGPU1\n",
      "99999999999999999999",
      "|",
      "\\n",
      "SYS",
      "mlx5_"
    };
    for (int i = 0; i < 3000; i++) {
      MadeUpMachine machine = MadeUpMachine.of(random);
      StringBuilder text = new StringBuilder(machine.text() + machine.legend());
      for (int change = random.nextInt(20); change >= 0; change--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.insert(at, pieces[random.nextInt(pieces.length)]);
          case 1 -> text.delete(at, Math.min(text.length() - 1, at + random.nextInt(30)));
          default -> text.setCharAt(at, (char) random.nextInt(256));
        }
      }
      readOrRefuse(text.toString());
    }
  }

  private static void readOrRefuse(String text) {
    try {
      Topology topology = read(text);
      assertThat(topology.gpus()).isNotEmpty();
      topology.nvlinkDomains();
      topology.switches();
    } catch (DuokaException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.FORMAT);
    }
  }
}
