package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.ParallelSettings.Collectives;
import java.util.Collections;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TransportTests {
  private static boolean all(Device from, Device to) {
    return true;
  }

  /** Cards 0 and 1 reach each other, and 2 and 3. */
  private static boolean pairs(Device from, Device to) {
    return from.index() / 2 == to.index() / 2;
  }

  private static List<Device> cards(int count) {
    return IntStream.range(0, count).mapToObj(Device::cuda).toList();
  }

  @Test
  void autoTakesTheFastestThatTheCardsAllow() {
    assertThat(Transport.of(Collectives.AUTO, cards(4), 4, TransportTests::all))
        .isEqualTo(Transport.PEER);
    assertThat(Transport.of(Collectives.AUTO, cards(4), 4, TransportTests::pairs))
        .isEqualTo(Transport.NCCL);
    assertThat(Transport.of(Collectives.AUTO, cards(2), 4, TransportTests::all))
        .as("two processes")
        .isEqualTo(Transport.NCCL);
    assertThat(
            Transport.of(
                Collectives.AUTO, Collections.nCopies(2, Device.cuda(0)), 2, TransportTests::all))
        .as("one card")
        .isEqualTo(Transport.COPIES);
    assertThat(
            Transport.of(
                Collectives.AUTO, Collections.nCopies(2, Device.CPU), 2, TransportTests::all))
        .isEqualTo(Transport.COPIES);
  }

  @ParameterizedTest
  @EnumSource(Collectives.class)
  void aSingleRankNeedsNone(Collectives asked) {
    assertThat(Transport.of(asked, List.of(Device.CPU), 1, TransportTests::all))
        .isEqualTo(Transport.COPIES);
  }

  @Test
  void whatCannotBeIsRefusedWithItsReason() {
    assertRefused(Collectives.PEER, cards(4), 4, TransportTests::pairs, "cuda:0 and cuda:2");
    assertRefused(
        Collectives.PEER, cards(2), 4, TransportTests::all, "of 4 ranks 2 are in this process");
    for (Collectives own : List.of(Collectives.PEER, Collectives.NCCL)) {
      assertRefused(
          own,
          Collections.nCopies(2, Device.cuda(1)),
          2,
          TransportTests::all,
          "2 ranks lie on [cuda:1]");
      assertRefused(
          own, Collections.nCopies(2, Device.CPU), 2, TransportTests::all, "2 ranks lie on [cpu]");
    }
  }

  private static void assertRefused(
      Collectives asked,
      List<Device> devices,
      int ranks,
      BiPredicate<Device, Device> reach,
      String why) {
    assertThatThrownBy(() -> Transport.of(asked, devices, ranks, reach))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(why)
        .hasMessageContaining("collectives");
  }
}
