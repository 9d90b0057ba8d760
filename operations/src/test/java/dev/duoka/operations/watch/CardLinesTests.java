package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardActivity;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.cards.CardWatch;
import dev.duoka.operations.cards.CardsJson;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/** Cards in a terminal. */
final class CardLinesTests {
  private static final CardLoad BUSY =
      new CardLoad(
          Optional.of(97),
          Optional.of(3L << 30),
          Optional.of(654.3),
          Optional.of(61),
          Optional.of(1980),
          Optional.of(new LinkRate(12.3e9, 45.6e9)),
          Optional.of(new LinkRate(1e8, 2e9)),
          CardActivity.UNKNOWN);

  private static String line(int index, CardLoad load, boolean stale) {
    return CardLines.line(
        new CardWatch.Seen(index, Optional.of("GPU-" + index), load, stale),
        Map.of("GPU-5", "cuda:0"));
  }

  /** CUDA's first card may be the driver's sixth. */
  @Test
  void aCardOfTheRunHasItsNameThereToo() {
    assertThat(line(5, BUSY, false)).startsWith("GPU 5 = cuda:0  97 %");
    assertThat(line(0, BUSY, false)).startsWith("GPU 0  97 %");
  }

  @Test
  void aCardIsOneLine() {
    assertThat(line(3, BUSY, false))
        .isEqualTo(
            "GPU 3  97 %  3.00 GiB  654 W  61 °C  1980 MHz  NVLink 12.3/45.6 GB/s  PCIe 0.1/2.0"
                + " GB/s");
  }

  private static final CardLoad COUNTED =
      new CardLoad(
          Optional.of(97),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          new CardActivity(Optional.of(88.4), Optional.of(41.6), Optional.of(7.0)));

  @Test
  void whatItsPartsDoIsThereWhereItHasCounters() {
    assertThat(line(0, COUNTED, false)).isEqualTo("GPU 0  97 %  SM 88 %  tensor 42 %  DRAM 7 %");
    ObjectNode json =
        CardsJson.of(List.of(new CardWatch.Seen(0, Optional.of("GPU-0"), COUNTED, false)));
    assertThat(json.at("/cards/0/uuid").asString()).isEqualTo("GPU-0");
    assertThat(json.at("/cards/0/sm_active").asDouble()).isEqualTo(88.4);
    assertThat(json.at("/cards/0/tensor_active").asDouble()).isEqualTo(41.6);
    assertThat(json.at("/cards/0/dram_active").asDouble()).isEqualTo(7.0);
    ObjectNode older = CardsJson.of(List.of(new CardWatch.Seen(0, Optional.empty(), BUSY, false)));
    assertThat(older.at("/cards/0").has("sm_active")).isFalse();
    assertThat(older.at("/cards/0").has("uuid")).isFalse();
  }

  @Test
  void aCardThatDoesNotAnswerIsNamed() {
    assertThat(line(0, BUSY, true)).startsWith("GPU 0 does not answer, last seen: 97 %");
    assertThat(line(1, CardLoad.UNKNOWN, false)).isEqualTo("GPU 1  ");
  }
}
