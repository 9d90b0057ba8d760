package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
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

  @ParameterizedTest
  @MethodSource("otherOutputs")
  void whatIsNoMatrixIsNamed(String text, String what, String command) {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read(text))
        .withMessageContaining(what)
        .withMessageContaining(command);
  }

  static Stream<Arguments> otherOutputs() {
    String run = "Run 'nvidia-smi topo -m' on that machine";
    String table =
        """
        +---------------------------------------------------------------------------------------+
        | NVIDIA-SMI 535.161.07             Driver Version: 535.161.07   CUDA Version: 12.2     |
        |   0  NVIDIA A100-SXM4-80GB          On  | 00000000:07:00.0 Off |               %s |
        | N/A   31C    P0              63W / 400W |     87MiB / 81920MiB |     %s      Default |
        """;
    return Stream.of(
        Arguments.of(String.format(table, "   0", "N/A"), "it is the table of nvidia-smi", run),
        Arguments.of(
            String.format(table, "  On", "N/A")
                + "| MIG devices:                                                              |\n"
                + "|  0    1   0   0  |  12MiB / 19968MiB  | 28   0 |  2   0    1    0    0    "
                + " |\n",
            "MIG devices: parts of GPUs",
            run),
        Arguments.of(
            """
            GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
              MIG 1g.5gb      Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
            """,
            "MIG devices: parts of GPUs",
            run),
        Arguments.of(
            """
            | GPU instance profiles:                                                      |
            | GPU   Name             ID    Instances   Memory     P2P    SM    DEC   ENC  |
            |   0  MIG 1g.5gb        19     7/7        4.75       No     14     0     0   |
            """,
            "it is a list of nvidia-smi mig",
            run),
        Arguments.of(
            "Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.  Reboot the"
                + " system to recover this GPU\n",
            "it lost a GPU",
            "nvidia-smi topo -m"),
        Arguments.of(
            "Unable to determine the device handle for GPU2: 0000:8A:00.0: Unknown Error\n",
            "it lost a GPU",
            "nvidia-smi topo -m"),
        Arguments.of(
            String.format(table, " N/A", "N/A")
                + "|ERR!  ERR! ERR!    ERR! / ERR! | GPU is lost |\n",
            "it lost a GPU",
            "Reset that GPU"),
        Arguments.of(
            String.format(table, " N/A", "ERR!"), "a GPU answers with ERR!", "nvidia-smi topo -m"),
        Arguments.of(
            "==============NVSMI LOG==============\nAttached GPUs : 8\n",
            "it is the output of nvidia-smi -q",
            run),
        Arguments.of(
            "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)\n"
                + "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2)",
            "it is the list of nvidia-smi -L",
            run),
        Arguments.of(
            "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)\n\t Link 0: 26.562 GB/s\n",
            "it is the output of nvidia-smi nvlink",
            run),
        Arguments.of(
            "index, name, memory.total [MiB]\n0, NVIDIA A10G, 23028 MiB\n",
            "it is the output of nvidia-smi --query-gpu",
            run),
        Arguments.of(
            """
            # gpu     pwr  gtemp  mtemp     sm    mem
                0      43     35      -      0      0
            """,
            "it is the output of nvidia-smi dmon",
            run),
        Arguments.of(
            "17:00.0 3D controller: NVIDIA Corporation GA100 [A100 PCIe 80GB] (rev a1)\n",
            "it is the output of lspci",
            run),
        Arguments.of(
            "========= ROCm System Management Interface =========\n",
            "AMD's tool",
            "Only matrices"),
        Arguments.of(
            "GPU0 and GPU1, and nothing else", "there is no matrix", "'nvidia-smi topo -m'"));
  }

  @Test
  void aMatrixBelowOtherOutputIsRead() {
    String other = "Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.\n";
    assertThat(read(other + "\tGPU0\tGPU1\nGPU0\tX\tNV4\nGPU1\tNV4\tX\n").gpus()).hasSize(2);
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
