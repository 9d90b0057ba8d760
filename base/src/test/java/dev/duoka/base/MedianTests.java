package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class MedianTests {
  @Test
  void isTheMiddleOneOrTheMeanOfTheTwoThatAre() {
    assertThat(Median.of(List.of(3.0))).isEqualTo(3);
    assertThat(Median.of(List.of(9.0, 1.0))).isEqualTo(5);
    assertThat(Median.of(List.of(9.0, 1.0, 2.0))).isEqualTo(2);
    assertThat(Median.of(4, 100, 1, 2)).isEqualTo(3);
    assertThat(Median.of(List.of())).isNaN();
  }
}
