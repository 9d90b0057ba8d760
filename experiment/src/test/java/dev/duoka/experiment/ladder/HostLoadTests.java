package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class HostLoadTests {
  private static final List<String> BEFORE =
      List.of("cpu  100 0 50 800 50 0 0 0 7 0", "cpu0 100 0 50 800 50 0 0 0 7 0", "btime 1");

  /** Of 200 moments 40 were idle and 10 waited for a disk. */
  @Test
  void whatIsNeitherIdleNorWaitingIsBusy() {
    assertThat(
            HostLoad.between(
                BEFORE, List.of("cpu  200 10 70 840 60 10 10 0 99 0", "cpu0 1 1 1 1 1 1 1 1 1 1")))
        .contains(75);
  }

  @Test
  void whatTellsNothingIsNoLoad() {
    assertThat(HostLoad.between(BEFORE, BEFORE)).isEmpty();
    assertThat(HostLoad.between(List.of(), BEFORE)).isEmpty();
    assertThat(HostLoad.between(List.of("cpu  a b c"), List.of("cpu  1 2 3"))).isEmpty();
  }
}
