package dev.duoka.planner.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Collective;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import dev.duoka.planner.time.LinkRates;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TopologyMachinesTests {
  private final Catalogue catalogue = Catalogue.builtIn();

  @Test
  void cardsThatAreAllLinkedAreOneDomain() {
    Machine machine = machine(matrix(4, "NV12"), "A100");
    assertThat(machine.link()).isEqualTo(Interconnect.NVLINK);
    assertThat(machine.domain()).isEqualTo(4);
    assertThat(machine.linkShare()).isEqualTo(1);
    assertThat(machine.name()).isEqualTo("4xA100-80G-SXM");
  }

  @Test
  void linksThatAreMissingMakeItSlower() {
    assertThat(machine(matrix(8, "NV12"), "H100").linkShare()).isLessThan(1);
  }

  @Test
  void cardsWithoutNvlinkGoOverTheBus() {
    Machine stock = machine(matrix(4, "PHB"), "RTX 4090");
    assertThat(stock.link()).isEqualTo(Interconnect.PCIE_HOST);
    assertThat(machine(matrix(4, "PIX"), "A100-80G-PCIe").link()).isEqualTo(Interconnect.PCIE_P2P);
  }

  @Test
  void bridgedPairsAreDomainsOfTwo() {
    String text =
        """
                GPU0    GPU1    GPU2    GPU3
        GPU0     X      NV4     PHB     PHB
        GPU1    NV4      X      PHB     PHB
        GPU2    PHB     PHB      X      NV4
        GPU3    PHB     PHB     NV4      X
        """;
    Machine machine = machine(text, "RTX 3090");
    assertThat(machine.link()).isEqualTo(Interconnect.BRIDGE);
    assertThat(machine.domain()).isEqualTo(2);
    assertThat(machine.outer()).isEqualTo(Interconnect.PCIE_HOST);
    LinkRates rates = new LinkRates(machine, catalogue);
    assertThat(rates.busBandwidth(Collective.ALL_REDUCE, 2).value())
        .isGreaterThan(3 * rates.busBandwidth(Collective.ALL_REDUCE, 4).value());
  }

  @Test
  void aCubeMeshIsTwoGroupsOfFour() {
    String text =
        """
        \tGPU0\tGPU1\tGPU2\tGPU3\tGPU4\tGPU5\tGPU6\tGPU7
        GPU0\t X \tNV1\tNV1\tNV2\tNV2\tSYS\tSYS\tSYS
        GPU1\tNV1\t X \tNV2\tNV1\tSYS\tNV2\tSYS\tSYS
        GPU2\tNV1\tNV2\t X \tNV2\tSYS\tSYS\tNV1\tSYS
        GPU3\tNV2\tNV1\tNV2\t X \tSYS\tSYS\tSYS\tNV1
        GPU4\tNV2\tSYS\tSYS\tSYS\t X \tNV1\tNV1\tNV2
        GPU5\tSYS\tNV2\tSYS\tSYS\tNV1\t X \tNV2\tNV1
        GPU6\tSYS\tSYS\tNV1\tSYS\tNV1\tNV2\t X \tNV2
        GPU7\tSYS\tSYS\tSYS\tNV1\tNV2\tNV1\tNV2\t X\s
        """;
    assertThat(machine(text, "V100-32G-SXM").domain()).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({"RTX 4090, has no NVLink", "V100, has at most NV6"})
  void linksThatACardCannotHaveAreRefused(String card, String message) {
    assertThatThrownBy(() -> machine(matrix(4, "NV12"), card))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void theCardMustBeKnown() {
    Topology topology = TopologyReader.read(matrix(4, "NV12"), "topo.txt");
    assertThatThrownBy(() -> TopologyMachines.of(topology, Optional.empty(), catalogue))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("--card");
  }

  private Machine machine(String text, String card) {
    return TopologyMachines.of(
        TopologyReader.read(text, "topo.txt"), Optional.of(catalogue.card(card)), catalogue);
  }

  private static String matrix(int gpus, String link) {
    StringBuilder text = new StringBuilder("     ");
    for (int i = 0; i < gpus; i++) {
      text.append("\tGPU").append(i);
    }
    for (int i = 0; i < gpus; i++) {
      text.append("\nGPU").append(i);
      for (int k = 0; k < gpus; k++) {
        text.append('\t').append(i == k ? " X " : link);
      }
    }
    return text.append('\n').toString();
  }
}
