package dev.duoka.planner.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.NvLink;
import dev.duoka.machine.topology.Bandwidth;
import dev.duoka.machine.topology.Bandwidths;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every card of the catalogue is a machine, with the links that its topology shows. */
final class EveryCardTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();

  static List<Card> cards() {
    return CATALOGUE.cards();
  }

  @ParameterizedTest
  @MethodSource("cards")
  void twoOfThemHaveTheLinkOfTheCatalogue(Card card) {
    boolean linked = card.nvlink().links() > 0;
    Topology topology = pair(card, linked ? "NV" + card.nvlink().links() : "PIX");
    Machine machine = TopologyMachines.of(topology, Optional.empty(), CATALOGUE);
    assertThat(machine.card()).isEqualTo(card);
    assertThat(machine.linkShare()).isEqualTo(1);
    Bandwidth bandwidth = Bandwidths.expected(topology, 0, 1).orElseThrow();
    assertThat(bandwidth.high())
        .isLessThanOrEqualTo(linked ? card.nvlink().eachWayGbs() : card.pcie().eachWayGbs());
    if (linked) {
      assertThat(bandwidth.low()).isEqualTo(card.nvlink().eachWayGbs());
    } else {
      assertThat(bandwidth.basis()).contains("PCIe " + card.pcie().generation());
      assertThat(card.nvlink().kind() == NvLink.Kind.NONE || !card.isNvidia()).isTrue();
    }
  }

  private static Topology pair(Card card, String link) {
    return TopologyReader.read(
        """
        GPU 0: NVIDIA %s (UUID: GPU-00000000-0000-0000-0000-000000000000)
        GPU 1: NVIDIA %s (UUID: GPU-00000000-0000-0000-0000-000000000001)
        \tGPU0\tGPU1
        GPU0\t X \t%s
        GPU1\t%s\t X\s
        """
            .formatted(card.name(), card.name(), link, link),
        "topo.txt");
  }
}
