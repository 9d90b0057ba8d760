package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PercentTests {
  @Test
  void aShareIsPrintedAsPercent() {
    assertThat(Percent.text(0.9484)).isEqualTo("94.8 %");
    assertThat(Percent.text(-0.01)).isEqualTo("-1.0 %");
    assertThat(Percent.whole(0.9484)).isEqualTo("95 %");
  }
}
