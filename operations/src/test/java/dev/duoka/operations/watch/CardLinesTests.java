package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.cards.CardWatch;
import java.util.Optional;
import org.junit.jupiter.api.Test;

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
          Optional.of(new LinkRate(1e8, 2e9)));

  @Test
  void aCardIsOneLine() {
    assertThat(CardLines.line(new CardWatch.Seen(3, BUSY, false)))
        .isEqualTo(
            "GPU 3  97 %  3.00 GiB  654 W  61 °C  1980 MHz  NVLink 12.3/45.6 GB/s  PCIe 0.1/2.0"
                + " GB/s");
  }

  @Test
  void aCardThatDoesNotAnswerIsNamed() {
    assertThat(CardLines.line(new CardWatch.Seen(0, BUSY, true)))
        .startsWith("GPU 0 does not answer, last seen: 97 %");
    assertThat(CardLines.line(new CardWatch.Seen(1, CardLoad.UNKNOWN, false))).isEqualTo("GPU 1  ");
  }
}
