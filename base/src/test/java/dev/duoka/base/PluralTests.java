package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PluralTests {
  @Test
  void onlyOneIsSingular() {
    assertThat(Plural.of(1, "rank")).isEqualTo("1 rank");
    assertThat(Plural.of(0, "rank")).isEqualTo("0 ranks");
    assertThat(Plural.of(2048, "accumulation step")).isEqualTo("2,048 accumulation steps");
  }
}
