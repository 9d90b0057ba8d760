package dev.duoka.hardware.xid;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class XidTests {
  @Test
  void numbersAreInOrderAndSaySomething() {
    assertThat(Xid.all()).hasSizeGreaterThan(100);
    assertThat(Xid.all()).extracting(Xid::number).isSorted().doesNotHaveDuplicates();
    assertThat(Xid.all())
        .allSatisfy(
            xid -> {
              assertThat(xid.name()).isNotBlank();
              assertThat(xid.why()).isNotBlank();
              assertThat(xid.fix()).isNotBlank();
              assertThat(Xid.of(xid.number())).contains(xid);
            });
    assertThat(Xid.of(14)).isEmpty();
  }

  /** Those that two tables once told differently, by NVIDIA's catalog. */
  @ParameterizedTest
  @CsvSource({
    "64, RESET_GPU, ERROR",
    "94, RESTART_APP, ERROR",
    "136, RESET_GPU, ERROR",
    "143, RESET_GPU, ERROR",
    "155, RESET_GPU, ERROR",
    "157, IGNORE, WARNING"
  })
  void firstStepsAreTheCatalogs(int number, String action, Xid.Gravity gravity) {
    Xid xid = Xid.of(number).orElseThrow();
    assertThat(xid.action()).isEqualTo(action);
    assertThat(xid.gravity()).isEqualTo(gravity);
  }
}
