package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A card that is known anywhere is known everywhere, and says the same everywhere. */
final class EveryCardTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();

  static List<Card> cards() {
    return CATALOGUE.cards();
  }

  @ParameterizedTest
  @MethodSource("cards")
  void hasRatesALinkAndAMachine(Card card) {
    assertThat(card.peak(card.halfPrecision())).isPositive();
    assertThat(CATALOGUE.machine(card, 1).card()).isEqualTo(card);
    assertThat(CATALOGUE.machine(card, card.mostInMachine()).gpus()).isBetween(4, 16);
    assertThat(CATALOGUE.traitsOfDevice(card.name())).contains(card.traits());
    assertThat(LinkTable.builtIn().pcieGbs(card.pcie().generation(), card.pcie().lanes()))
        .contains(card.pcie().eachWayGbs());
  }

  @ParameterizedTest
  @MethodSource("cards")
  void hasNoMoreLinksThanItsGeneration(Card card) {
    Optional<NvlinkGeneration> generation =
        LinkTable.builtIn().generation(card.computeCapability());
    if (card.nvlink().links() > 0) {
      assertThat(card.nvlink().links()).isLessThanOrEqualTo(generation.orElseThrow().mostLinks());
      assertThat(card.nvlink().eachWayGbs())
          .isEqualTo(card.nvlink().links() * generation.orElseThrow().linkGbs());
    } else {
      assertThat(card.nvlink().kind() == NvLink.Kind.NONE || !card.isNvidia()).isTrue();
    }
  }

  /**
   * The line that a card's driver name falls into, were it not in the catalogue, agrees with it.
   */
  @ParameterizedTest
  @MethodSource("cards")
  void agreesWithItsProductLine(Card card) {
    String driverName = "NVIDIA " + card.name().replaceAll("-(?=\\D|\\d{4})", " ");
    ProductLines.find(driverName)
        .ifPresent(
            line -> {
              assertThat(line.computeCapability()).isEqualTo(card.computeCapability());
              assertThat(line.pcieGeneration()).isEqualTo(card.pcie().generation());
              assertThat(line.p2pOverPcie()).isEqualTo(card.p2pOverPcie());
            });
  }

  /** Names of single cards in product lines are cards; the lines alone cover further ones. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "NVIDIA B300 SXM6 AC",
        "NVIDIA GB300",
        "NVIDIA GB200",
        "NVIDIA B100",
        "NVIDIA GH200 480GB",
        "NVIDIA GH200 144G HBM3e",
        "NVIDIA H200 NVL",
        "NVIDIA H800 PCIe",
        "NVIDIA A800 80GB PCIe",
        "NVIDIA A800 40GB Active",
        "NVIDIA A30",
        "NVIDIA A40",
        "NVIDIA A16",
        "NVIDIA A2",
        "NVIDIA A10G",
        "NVIDIA L40",
        "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
        "Tesla T4",
        "Tesla V100-SXM3-32GB",
        "Tesla V100-PCIE-16GB",
        "Tesla P100-SXM2-16GB",
        "NVIDIA TITAN V",
        "NVIDIA TITAN RTX",
      })
  void driversNamesAreCards(String name) {
    assertThat(CATALOGUE.cardOfDevice(name)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "NVIDIA RTX A4000",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "Quadro RTX 6000",
      })
  void otherNamesTellTheirLineAlone(String name) {
    assertThat(CATALOGUE.cardOfDevice(name)).isEmpty();
    assertThat(CATALOGUE.traitsOfDevice(name)).isPresent();
  }
}
