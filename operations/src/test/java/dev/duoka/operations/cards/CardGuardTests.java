package dev.duoka.operations.cards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardUse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class CardGuardTests {
  private static final long OWN = ProcessHandle.current().pid();

  private static List<String> users(List<String> cards, CardUse... uses)
      throws InterruptedException {
    return new CardGuard(cards, () -> List.of(uses)).users();
  }

  @Test
  void foreignProcessesOfTheRunsCardsAreNamed() throws InterruptedException {
    CardUse free = new CardUse(0, "GPU-aa", 400L << 20, Map.of());
    CardUse used = new CardUse(1, "GPU-bb", 5L << 30, Map.of(OWN, 4L << 30));
    assertThat(users(List.of("0"), free, used)).isEmpty();
    assertThat(users(List.of("0", "1"), free, used))
        .singleElement()
        .asString()
        .isEqualTo(
            "GPU 1: process "
                + OWN
                + " of "
                + ProcessHandle.current().info().user().orElseThrow()
                + " holds 4.00 GiB");
    assertThat(users(List.of("GPU-b"), free, used)).hasSize(1);
  }

  @Test
  void whatOtherContainersHoldIsSeenByItsBytes() throws InterruptedException {
    assertThat(users(List.of("0"), new CardUse(0, "", 20L << 30, Map.of())))
        .singleElement()
        .asString()
        .isEqualTo("GPU 0: 20.00 GiB are in use by processes that cannot be seen from here");
    assertThat(users(List.of("0"), new CardUse(0, "", 20L << 30, Map.of(1L, -1L))))
        .singleElement()
        .asString()
        .startsWith("GPU 0: process 1")
        .doesNotContain("holds");
  }

  @Test
  void aDriverThatFailsIsSaid() throws InterruptedException {
    CardGuard guard =
        new CardGuard(
            List.of("0"),
            () -> {
              throw new IllegalStateException("GPU is lost");
            });
    assertThat(guard.users())
        .singleElement()
        .asString()
        .contains("cannot be looked at")
        .contains("GPU is lost");
  }
}
